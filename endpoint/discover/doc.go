// Package discover finds out how a server keeps people logged in: from a recording of a browser that talked to it
// (Recording), from a single request that was copied as a command line (Curl), or from what the server itself says
// (URL). The Result has the endpoint.Settings for it:
//
//	f, err := os.Open("recording.har")
//	...
//	found, err := discover.Recording(f)
//	...
//	client, err := silentrefresh.New(silentrefresh.Config{
//		BaseURL: found.BaseURL, Origins: found.Origins, Endpoint: found.Settings, Attach: found.Attach,
//		RejectedStatus: found.RejectedStatus, RejectedIf: found.RejectedIf, HandOutHeader: found.HandOutHeader,
//	})
//
// What it finds are proposals. Findings say what each of them rests on, and how sure that is; Missing says what a person
// has to look after. No secret gets into a Result, but for Session, whose values redact themselves.
package discover
