// Package endpoint talks to auth servers with plain HTTP endpoints for login, refresh and logout.
//
// Settings say how: which URLs and methods, what requests carry, where responses have the tokens, what protects them
// against cross-site request forgery. They are independent choices, and go to silentrefresh.Config.Endpoint:
//
//	silentrefresh.Config{
//		BaseURL: "https://api.example.com",
//		Endpoint: endpoint.Settings{
//			Login:   endpoint.Call{URL: "/api/token"},
//			Refresh: endpoint.Call{URL: "/api/token/refresh", RefreshTokenField: "refresh"},
//			Logout:  endpoint.Call{URL: "-"},
//		},
//	}
//
// The zero Settings suit a server that has POST /auth/login, /auth/refresh and /auth/logout, speaks JSON, and keeps the
// refresh token in a cookie. Where a cookie names a session on the server, as in most web applications, any request keeps
// it alive: Call.Touch makes the refresh such a request. docs/SERVERS.md has settings for a dozen well-known servers.
//
// Settings.Bind turns them into an Exchanger, for programs that exchange sessions without the engine.
package endpoint
