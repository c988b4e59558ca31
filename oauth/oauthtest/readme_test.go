package oauthtest_test

import (
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/readme"
)

// TestReadmeRuns runs the README's test as it is printed.
func TestReadmeRuns(t *testing.T) {
	const project = "github.com/silentrefresh/silentrefresh"
	readme.RunTest(t, "README.md", "TestMyProgramStaysLoggedIn",
		"testing", "testing/synctest", "time", project, project+"/oauth", project+"/oauth/oauthtest")
}
