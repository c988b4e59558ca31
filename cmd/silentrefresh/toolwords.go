package main

import (
	"regexp"
	"strings"
)

// settingNames are fields of the library's Config as the settings name them.
var settingNames = map[string]string{
	"BaseURL": "base_url", "Origins": "origins", "RejectedStatus": "rejected_status", "RejectedIf": "rejected_if",
	"HandOutHeader": "hand_out_header", "MemoryOnly": "memory_only", "Timeout": "timeout", "MaxWait": "max_wait",
	"RefreshBefore": "refresh_before", "MaxAge": "max_age", "Credentials": "credentials",
}

var (
	goNames = regexp.MustCompile(`(\w+\.)?\b(BaseURL|Origins|RejectedStatus|RejectedIf|HandOutHeader|MemoryOnly|Timeout|MaxWait|RefreshBefore|MaxAge|Credentials)\b`)
	goCalls = strings.NewReplacer(
		"bring a session with Resume", "take one up with login --cookie-file or --refresh-token",
		"call Login", "log in",
		"with Endpoint.AccessToken (access_token in the config file)", "with access_token in the settings",
		"the Config has mistakes: ", "", "the Store", "the store",
	)
)

// inToolWords is a text of the library's for people who never see its code.
func inToolWords(text string) string {
	return goNames.ReplaceAllStringFunc(goCalls.Replace(text), func(name string) string {
		qualifier, field, qualified := strings.Cut(name, ".")
		if !qualified {
			return settingNames[name]
		}
		if qualifier == "Config" {
			return settingNames[field]
		}
		return name // another program's
	})
}
