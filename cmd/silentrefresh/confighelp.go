package main

// configHelp is to be read on a terminal of 80 columns.
const configHelp = `The config file is JSON, for instance this, where nothing but base_url is needed:

{ "base_url": "https://api.example.com",
  "origins": [],
  "login":   {"method": "POST", "url": "/auth/login", "encoding": "json",
              "headers": {}},
  "refresh": {"method": "POST", "url": "/auth/refresh", "encoding": "json",
              "headers": {}},
  "logout":  {"method": "POST", "url": "/auth/logout", "encoding": "json",
              "headers": {}},
  "csrf":          {"cookie": "", "api_cookie": "", "header": "", "url": "",
                    "field": "", "response_header": "", "response_json": "",
                    "response_field": "", "response_meta": ""},
  "access_token":  {"json": "", "header": "", "cookie": "",
                    "expires_json": "", "expires_unit": "", "lifetime": ""},
  "refresh_token": {"json": "", "header": ""},
  "account":       {"claim": "sub", "json": "", "name": ""},
  "session":       {"idle_timeout": "", "absolute_timeout": ""},
  "issuer": "",
  "attach":        {"header": "Authorization", "scheme": "Bearer",
                    "bare": false, "cookies": false},
  "rejected_status": [401],
  "hand_out_header": "",
  "memory_only": false,
  "timeout": "30s", "max_wait": "10s", "refresh_before": "", "max_age": "",
  "ask": ["email", "password"] }

What is left out or empty means the usual thing.
  origins          more origins that get the token
  issuer           what the token's iss claim has to be
  attach           with bare, or with the scheme "", the token is sent without
                   a scheme
  rejected_if      other API responses that reject the token:
                   [{"status": 302, "location": "/login"}], or a "body"
  hand_out_header  a header of responses that hands out a newer token
  memory_only      never write the access token down, even encrypted
  ask              what login asks for on the terminal; in JSON a dotted name
                   is a nested field

Login, refresh and logout take the same fields:
  url              a path, a whole URL, or "-" where the server has no such
                   endpoint
  method           GET, POST, PUT, PATCH or DELETE
  encoding         json or form
  headers, fields  fixed headers, and fixed fields of the body (for GET, of the
                   query); "fields": {} sends {}
  refresh_token_field
                   the field that carries the refresh token where it is not a
                   cookie; refresh_token_header likewise
  access_token_field
                   the field that carries the old access token, where the
                   server wants it; access_token_header likewise
                   ("Authorization" carries it with its scheme)
  accepted_status  the statuses of success, redirects among them (a form
                   login's 302); none: 2xx
  refused          rules by which a response refuses the credential for good,
                   in words that are not understood by themselves:
                   {"status": 400, "location": "/login", "code": "DEAD",
                   "body": "part of it"}, of which what is set has to be
                   there, or a list of such
  touch            true for a refresh that keeps the session alive by being
                   made: {"method": "GET", "url": "/me"}
  first            a call that is made before, a GET unless it says otherwise,
                   with "take": {"name": {"json": "path"}}. The value, taken
                   from one of json, header, cookie, field (of a form) and
                   meta, goes where "{name}" stands in url, headers and
                   fields; {access_token}, {refresh_token} and {csrf_token}
                   do, too

access_token.json, expires_json and refresh_token.json are dotted paths such as data.token. access_token.cookie is
the cookie that is the access token, or names the session. Time spans are written 90s, 30m, 8h or 14d:
  access_token.lifetime     how long a token lives, where responses do not say
  session.idle_timeout      how long the session lives after its last use, by
                            any request
  session.absolute_timeout  how long it lives after the login, whatever is done

csrf.url is fetched for the token, which is in a cookie, a response_header, at response_json, in a response_field of a
form or in the response_meta element of a page. It is shown in csrf.header, and in csrf.field of the body.

Where a session cannot be renewed, "credentials" begins the next one without a person. A command prints the password on
a line, or a JSON object; no shell reads it. With "keep" instead, those of the login are kept, encrypted as the session is.
What the server has refused once is not presented again:
  "credentials": {"command": ["pass", "show", "example"],
                  "fields": {"email": "ada@example.com"}, "keep": false}

With an OAuth server, "oauth" stands in place of login, refresh and logout. It names an issuer, or the resource (the URL of
the API, which says where to log in), or the endpoints; without a client_id the program is registered. Its flow is
browser, device, silent, client_credentials, jwt_bearer or token_exchange:
  "oauth": {"issuer": "", "client_id": "", "client_secret": "",
            "flow": "browser", "scopes": [], "redirect_uri": ""}
`
