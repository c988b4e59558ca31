package discover_test

import (
	"encoding/json"
	"reflect"
	"testing"
)

// servers are conversations with servers of well-known kinds, as a browser has them, and the settings that follow.
var servers = []struct{ name, recorded, want string }{
	{"the usual", `
		> POST /auth/login
		> Content-Type: application/json
		>
		> {"email": "ada@example.com", "password": "analytical"}
		< 200
		< Set-Cookie: refresh_token=R1-aaaaaaaaaaaaaaaaaaaa; Path=/auth; HttpOnly
		<
		< {"accessToken": "A1-bbbbbbbbbbbbbbbbbbbb", "expiresIn": 900, "user": {"email": "ada@example.com"}}

		> GET /me
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {"email": "ada@example.com"}

		> POST /auth/refresh
		> Cookie: refresh_token=R1-aaaaaaaaaaaaaaaaaaaa
		< 200
		< Set-Cookie: refresh_token=R2-aaaaaaaaaaaaaaaaaaaa; Path=/auth; HttpOnly
		<
		< {"accessToken": "A2-bbbbbbbbbbbbbbbbbbbb", "expiresIn": 900}

		> GET /me
		> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {"email": "ada@example.com"}

		> POST /auth/logout
		> Cookie: refresh_token=R2-aaaaaaaaaaaaaaaaaaaa
		< 204
		< Set-Cookie: refresh_token=; Path=/auth; Max-Age=0`,
		`{"base_url": "https://api.example.com", "ask": ["email", "password"], "login": {"url": "/auth/login"}, "refresh": {"url": "/auth/refresh"}, "logout": {"url": "/auth/logout"}}`},
	{"Django simplejwt", `
		> POST /api/token/
		>
		> {"username": "ada", "password": "analytical"}
		< 200
		<
		< {"access": "A1-bbbbbbbbbbbbbbbbbbbb", "refresh": "R1-bbbbbbbbbbbbbbbbbbbb"}

		> GET /api/things/
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 401
		<
		< {"code": "token_not_valid"}

		> POST /api/token/refresh/
		>
		> {"refresh": "R1-bbbbbbbbbbbbbbbbbbbb"}
		< 200
		<
		< {"access": "A2-bbbbbbbbbbbbbbbbbbbb"}

		> GET /api/things/
		> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []

		> POST /api/token/blacklist/
		>
		> {"refresh": "R1-bbbbbbbbbbbbbbbbbbbb"}
		< 200`,
		`{"base_url": "https://api.example.com", "ask": ["username", "password"], "login": {"url": "/api/token/"},
		"refresh": {"url": "/api/token/refresh/", "refresh_token_field": "refresh"}, "logout": {"url": "/api/token/blacklist/", "refresh_token_field": "refresh"}}`},
	{"NestJS, names of its own, a refresh token as bearer, another host", `
		> POST https://login.example.com/v2/in
		> X-Api-Key: public-key
		>
		> {"kennung": "ada", "kennwort": "analytical", "client_id": "web"}
		< 201
		<
		< {"daten": {"zugang": "A1.bbbbbbbbbbbbbbbbbbbb1", "erneuerung": "R1.bbbbbbbbbbbbbbbbbbbb1", "gültigBis": 1795612345}}

		> GET /v2/dinge
		> authorization: JWT A1.bbbbbbbbbbbbbbbbbbbb1
		< 419
		<
		< {}

		> PUT https://login.example.com/v2/neu?v=2&_=1795612345000
		> X-Api-Key: public-key
		> X-Request-Id: 6f1f4c30-58a5-4c35-a8a4-9aeb9b8dbe41
		> authorization: Bearer R1.bbbbbbbbbbbbbbbbbbbb1
		>
		> {"client_id": "web"}
		< 200
		<
		< {"daten": {"zugang": "A2.bbbbbbbbbbbbbbbbbbbb1", "erneuerung": "R2.bbbbbbbbbbbbbbbbbbbb1"}}

		> GET /v2/dinge
		> authorization: JWT A2.bbbbbbbbbbbbbbbbbbbb1
		< 200
		<
		< []

		> DELETE https://login.example.com/v2/session
		> X-Api-Key: public-key
		> authorization: JWT A2.bbbbbbbbbbbbbbbbbbbb1
		< 204`,
		`{"base_url": "https://api.example.com", "ask": ["kennung", "kennwort"], "attach": {"scheme": "JWT"},
		"rejected_status": [401, 419],
		"login": {"url": "https://login.example.com/v2/in", "headers": {"X-Api-Key": "public-key"}, "fields": {"client_id": "web"}},
		"refresh": {"method": "PUT", "url": "https://login.example.com/v2/neu?v=2", "headers": {"X-Api-Key": "public-key"}, "fields": {"client_id": "web"}, "refresh_token_header": "Authorization"},
		"logout": {"method": "DELETE", "url": "https://login.example.com/v2/session", "headers": {"X-Api-Key": "public-key"}, "access_token_header": "Authorization"},
		"access_token": {"json": "daten.zugang", "expires_json": "daten.gültigBis"}, "refresh_token": {"json": "daten.erneuerung"}}`},
	{"Laravel Sanctum", `
		> GET /sanctum/csrf-cookie
		< 204
		< Set-Cookie: XSRF-TOKEN=eyJpdiI6aaaaaa%3D; Path=/
		< Set-Cookie: laravel_session=eyJpdiI6bbbbbbbbbbbbbbbbb1%3D; Path=/; HttpOnly

		> POST /login
		> Origin: https://spa.example.com
		> Referer: https://spa.example.com/login
		> X-XSRF-TOKEN: eyJpdiI6aaaaaa=
		> Cookie: XSRF-TOKEN=eyJpdiI6aaaaaa%3D; laravel_session=eyJpdiI6bbbbbbbbbbbbbbbbb1%3D
		>
		> {"email": "ada@example.com", "password": "analytical", "remember": true}
		< 204
		< Set-Cookie: XSRF-TOKEN=eyJpdiI6aaaab2%3D; Path=/
		< Set-Cookie: laravel_session=eyJpdiI6bbbbbbbbbbbbbbbbb2%3D; Path=/; HttpOnly

		> GET /api/user
		> X-XSRF-TOKEN: eyJpdiI6aaaab2=
		> Cookie: XSRF-TOKEN=eyJpdiI6aaaab2%3D; laravel_session=eyJpdiI6bbbbbbbbbbbbbbbbb2%3D
		< 200
		< Set-Cookie: XSRF-TOKEN=eyJpdiI6aaaab3%3D; Path=/
		< Set-Cookie: laravel_session=eyJpdiI6bbbbbbbbbbbbbbbbb3%3D; Path=/; HttpOnly
		<
		< {"email": "ada@example.com"}

		> POST /logout
		> Origin: https://spa.example.com
		> X-XSRF-TOKEN: eyJpdiI6aaaab3=
		> Cookie: XSRF-TOKEN=eyJpdiI6aaaab3%3D; laravel_session=eyJpdiI6bbbbbbbbbbbbbbbbb3%3D
		< 204
		< Set-Cookie: laravel_session=eyJpdiI6bbbbbbbbbbbbbbbbb4%3D; Path=/; HttpOnly`,
		`{"base_url": "https://api.example.com", "ask": ["email", "password"],
		"login": {"url": "/login", "fields": {"remember": true}, "headers": {"Origin": "https://spa.example.com", "Referer": "https://spa.example.com/"}},
		"refresh": {"method": "GET", "url": "/api/user", "touch": true}, "logout": {"url": "/logout", "headers": {"Origin": "https://spa.example.com", "Referer": "https://spa.example.com/"}},
		"csrf": {"cookie": "XSRF-TOKEN", "header": "X-Xsrf-Token", "url": "/sanctum/csrf-cookie"}, "access_token": {"cookie": "laravel_session"}}`},
	{"a login page of the server, then one cookie", `
		> GET /login
		< 200
		< Set-Cookie: sid=s%3Aanonymous0123456789.abc; Path=/; HttpOnly
		<
		< <form method="post" action="/login"><input type="hidden" name="next" value="/home"><input name="nutzer"><input type="password" name="wort"></form>

		> POST /login
		> Cookie: sid=s%3Aanonymous0123456789.abc
		>
		> next=%2Fhome&nutzer=ada&wort=analytical
		< 302
		< Location: /home
		< Set-Cookie: sid=s%3Aloggedin0123456789.abc; Path=/; HttpOnly

		> GET /home
		> Cookie: sid=s%3Aloggedin0123456789.abc
		< 200
		<
		< <p>Welcome</p>

		> GET /api/items
		> Cookie: sid=s%3Aloggedin0123456789.abc
		< 200
		<
		< []

		> POST /logout
		> Cookie: sid=s%3Aloggedin0123456789.abc
		< 302
		< Location: /login
		< Set-Cookie: sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT`,
		`{"base_url": "https://api.example.com", "ask": ["nutzer", "wort"], "login": {"url": "/login", "encoding": "form", "fields": {"next": "/home"}, "accepted_status": [302]},
		"refresh": {"method": "GET", "url": "/api/items", "touch": true}, "logout": {"url": "/logout"}, "access_token": {"cookie": "sid"}}`},
	{"Rails: a token in a hidden field and in a meta element", `
		> GET /users/sign_in
		< 200
		< Set-Cookie: _app_session=anonymous0123456789abcdef; Path=/; HttpOnly
		<
		< <meta name="csrf-token" content="Meta0123456789abcdef=="><form method="post" action="/users/sign_in"><input type="hidden" name="authenticity_token" value="Form0123456789abcdef=="><input name="user[email]" type="email"><input type="password" name="user[password]"></form>

		> POST /users/sign_in
		> Cookie: _app_session=anonymous0123456789abcdef
		>
		> authenticity_token=Form0123456789abcdef%3D%3D&user%5Bemail%5D=ada%40example.com&user%5Bpassword%5D=analytical
		< 303
		< Location: /
		< Set-Cookie: _app_session=loggedin0123456789abcdef; Path=/; HttpOnly

		> GET /
		> Cookie: _app_session=loggedin0123456789abcdef
		< 200
		< Set-Cookie: _app_session=loggedin2222222222222222; Path=/; HttpOnly
		<
		< <meta name="csrf-token" content="Meta9999999999999999=="><p>Welcome

		> GET /things.json
		> Cookie: _app_session=loggedin2222222222222222
		< 200
		<
		< []

		> DELETE /users/sign_out
		> X-CSRF-Token: Meta9999999999999999==
		> Cookie: _app_session=loggedin2222222222222222
		< 204
		< Set-Cookie: _app_session=; Path=/; Max-Age=0`,
		`{"base_url": "https://api.example.com", "ask": ["user[email]", "user[password]"],
		"login": {"url": "/users/sign_in", "encoding": "form", "accepted_status": [303]}, "refresh": {"method": "GET", "url": "/", "touch": true},
		"logout": {"method": "DELETE", "url": "/users/sign_out"}, "access_token": {"cookie": "_app_session"},
		"csrf": {"response_meta": "csrf-token", "field": "authenticity_token", "url": "/users/sign_in"}}`},
	{"GraphQL", `
		> POST /graphql
		>
		> {"operationName": "Login", "query": "mutation Login($i: LoginInput!) { login(input: $i) { token refreshToken } }", "variables": {"i": {"email": "ada@example.com", "password": "analytical", "remember": true}}}
		< 200
		<
		< {"data": {"login": {"token": "A1-bbbbbbbbbbbbbbbbbbbb", "refreshToken": "R1-bbbbbbbbbbbbbbbbbbbb"}}}

		> POST /graphql
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		>
		> {"operationName": "Me", "query": "{ me { name } }", "variables": {}}
		< 200
		<
		< {"data": {"me": {"name": "Ada"}}}

		> POST /graphql
		>
		> {"operationName": "Renew", "query": "mutation Renew($t: String!) { refresh(token: $t) { token refreshToken } }", "variables": {"t": "R1-bbbbbbbbbbbbbbbbbbbb"}}
		< 200
		<
		< {"data": {"refresh": {"token": "A2-bbbbbbbbbbbbbbbbbbbb", "refreshToken": "R2-bbbbbbbbbbbbbbbbbbbb"}}}

		> POST /graphql
		> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
		>
		> {"operationName": "Me", "query": "{ me { name } }", "variables": {}}
		< 200
		<
		< {"data": {"me": {"name": "Ada"}}}`,
		`{"base_url": "https://api.example.com", "ask": ["variables.i.email", "variables.i.password"],
		"login": {"url": "/graphql", "fields": {"operationName": "Login", "query": "mutation Login($i: LoginInput!) { login(input: $i) { token refreshToken } }", "variables": {"i": {"remember": true}}}},
		"refresh": {"url": "/graphql", "fields": {"operationName": "Renew", "query": "mutation Renew($t: String!) { refresh(token: $t) { token refreshToken } }"}, "refresh_token_field": "variables.t"},
		"logout": {"url": "-"}}`},
	{"FastAPI", `
		> POST /token
		>
		> grant_type=password&username=ada&password=analytical&scope=&client_id=string&client_secret=********
		< 200
		<
		< {"access_token": "A1-bbbbbbbbbbbbbbbbbbbb", "token_type": "bearer"}

		> GET /users/me
		> authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {"username": "ada"}`,
		`{"base_url": "https://api.example.com", "ask": ["username", "password"], "login": {"url": "/token", "encoding": "form",
		"fields": {"grant_type": "password", "scope": "", "client_id": "string", "client_secret": "********"}}, "refresh": {"url": "-"}, "logout": {"url": "-"}}`},
	{"Supabase", `
		> POST https://x.supabase.co/auth/v1/token?grant_type=password
		> apikey: anon-key-0123456789
		> X-Client-Info: supabase-js/2
		> Authorization: Bearer anon-key-0123456789
		>
		> {"email": "ada@example.com", "password": "analytical", "gotrue_meta_security": {}}
		< 200
		<
		< {"access_token": "A1-bbbbbbbbbbbbbbbbbbbb", "expires_in": 3600, "expires_at": 1795615999, "refresh_token": "Rabcdefgh1234", "user": {"email": "ada@example.com"}}

		> GET https://x.supabase.co/rest/v1/items
		> apikey: anon-key-0123456789
		> X-Client-Info: supabase-js/2
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []

		> POST https://x.supabase.co/auth/v1/token?grant_type=refresh_token
		> apikey: anon-key-0123456789
		> X-Client-Info: supabase-js/2
		> Authorization: Bearer anon-key-0123456789
		>
		> {"refresh_token": "Rabcdefgh1234"}
		< 200
		<
		< {"access_token": "A2-bbbbbbbbbbbbbbbbbbbb", "expires_in": 3600, "expires_at": 1795615999, "refresh_token": "Rabcdefgh5678"}

		> GET https://x.supabase.co/rest/v1/items
		> apikey: anon-key-0123456789
		> X-Client-Info: supabase-js/2
		> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []

		> POST https://x.supabase.co/auth/v1/logout?scope=local
		> apikey: anon-key-0123456789
		> X-Client-Info: supabase-js/2
		> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
		< 204`,
		`{"base_url": "https://x.supabase.co", "ask": ["email", "password"],
		"login": {"url": "/auth/v1/token?grant_type=password", "headers": {"Apikey": "anon-key-0123456789", "Authorization": "Bearer anon-key-0123456789", "X-Client-Info": "supabase-js/2"}, "fields": {"gotrue_meta_security": {}}},
		"refresh": {"url": "/auth/v1/token?grant_type=refresh_token", "headers": {"Apikey": "anon-key-0123456789", "Authorization": "Bearer anon-key-0123456789", "X-Client-Info": "supabase-js/2"}, "refresh_token_field": "refresh_token"},
		"logout": {"url": "/auth/v1/logout?scope=local", "headers": {"Apikey": "anon-key-0123456789", "X-Client-Info": "supabase-js/2"}, "access_token_header": "Authorization"}}`},
	{"both tokens in cookies, JWT, quoted", `
		> POST /api/login
		>
		> {"user": {"login": "ada", "pass": "analytical"}, "device": "web"}
		< 200
		< Set-Cookie: at="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwiZXhwIjoxNzk1NjEyMzQ1fQ.aaaaaaaa1"; Path=/; HttpOnly; Secure
		< Set-Cookie: rt=R1-aaaaaaaaaaaaaaaaaaaa; Path=/api/renew; HttpOnly; Secure
		<
		< {"ok": true}

		> GET /api/me
		> Cookie: at="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwiZXhwIjoxNzk1NjEyMzQ1fQ.aaaaaaaa1"; lang=de
		< 200
		<
		< {"login": "ada"}

		> GET /api/renew
		> Cookie: at="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwiZXhwIjoxNzk1NjEyMzQ1fQ.aaaaaaaa1"; rt=R1-aaaaaaaaaaaaaaaaaaaa
		< 204
		< Set-Cookie: at="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwiZXhwIjoxNzk1NjEyMzQ1fQ.aaaaaaaa2"; Path=/; HttpOnly; Secure
		< Set-Cookie: rt=R2-aaaaaaaaaaaaaaaaaaaa; Path=/api/renew; HttpOnly; Secure

		> GET /api/me
		> Cookie: at="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwiZXhwIjoxNzk1NjEyMzQ1fQ.aaaaaaaa2"; lang=de
		< 200
		<
		< {"login": "ada"}

		> DELETE /api/session
		> Cookie: at="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwiZXhwIjoxNzk1NjEyMzQ1fQ.aaaaaaaa2"
		< 204
		< Set-Cookie: at=; Path=/; Max-Age=-1`,
		`{"base_url": "https://api.example.com", "ask": ["user.login", "user.pass"], "login": {"url": "/api/login", "fields": {"device": "web"}},
		"refresh": {"method": "GET", "url": "/api/renew"}, "logout": {"method": "DELETE", "url": "/api/session"}, "access_token": {"cookie": "at"}}`},
	{"Keycloak, with a client", `
		> POST https://id.example.com/realms/x/protocol/openid-connect/token
		>
		> grant_type=password&client_id=c&username=ada&password=analytical
		< 200
		<
		< {"access_token": "A1-bbbbbbbbbbbbbbbbbbbb", "expires_in": 60, "refresh_expires_in": 1800, "refresh_token": "R1-bbbbbbbbbbbbbbbbbbbb", "token_type": "Bearer"}

		> GET /orders
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []

		> GET https://images.example.com/mine
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []

		> POST https://id.example.com/realms/x/protocol/openid-connect/token
		>
		> grant_type=refresh_token&client_id=c&refresh_token=R1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {"access_token": "A2-bbbbbbbbbbbbbbbbbbbb", "expires_in": 60, "refresh_expires_in": 1800, "refresh_token": "R2-bbbbbbbbbbbbbbbbbbbb", "token_type": "Bearer"}

		> GET /orders
		> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []

		> POST https://id.example.com/realms/x/protocol/openid-connect/logout
		>
		> client_id=c&refresh_token=R2-bbbbbbbbbbbbbbbbbbbb
		< 204`,
		`{"base_url": "https://api.example.com", "origins": ["https://images.example.com"], "ask": ["username", "password"],
		"login": {"url": "https://id.example.com/realms/x/protocol/openid-connect/token", "encoding": "form", "fields": {"grant_type": "password", "client_id": "c"}},
		"refresh": {"url": "https://id.example.com/realms/x/protocol/openid-connect/token", "encoding": "form", "fields": {"grant_type": "refresh_token", "client_id": "c"}, "refresh_token_field": "refresh_token"},
		"logout": {"url": "https://id.example.com/realms/x/protocol/openid-connect/logout", "encoding": "form", "fields": {"client_id": "c"}, "refresh_token_field": "refresh_token"}}`},
	{"devise-jwt", `
		> POST /users/sign_in
		>
		> {"user": {"email": "ada@example.com", "password": "analytical"}}
		< 200
		< Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		<
		< {"id": 1}

		> GET /things
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []

		> DELETE /users/sign_out
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 204`,
		`{"base_url": "https://api.example.com", "ask": ["user.email", "user.password"], "login": {"url": "/users/sign_in"}, "refresh": {"url": "-"},
		"logout": {"method": "DELETE", "url": "/users/sign_out", "access_token_header": "Authorization"}, "access_token": {"header": "Authorization"}}`},
	{"ASP.NET: both tokens in the body, an API key in the query", `
		> POST /api/authenticate/login?api-version=1.0&_=1795612345123
		>
		> {"username": "ada", "password": "analytical"}
		< 200
		<
		< {"token": "A1-bbbbbbbbbbbbbbbbbbbb", "refreshToken": "bm90IGEgdG9rZW4gYXQgYWxs+/Q==", "expiration": "2026-11-25T12:30:00Z"}

		> GET /api/weather
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 401

		> POST /api/authenticate/refresh-token?api-version=1.0
		>
		> {"accessToken": "A1-bbbbbbbbbbbbbbbbbbbb", "refreshToken": "bm90IGEgdG9rZW4gYXQgYWxs+/Q=="}
		< 200
		<
		< {"accessToken": "A2-bbbbbbbbbbbbbbbbbbbb", "refreshToken": "c3RpbGwgbm90IGEgdG9rZW4+/Q=="}

		> GET /api/weather
		> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []`,
		`{"base_url": "https://api.example.com", "ask": ["username", "password"], "login": {"url": "/api/authenticate/login?api-version=1.0"},
		"refresh": {"url": "/api/authenticate/refresh-token?api-version=1.0", "refresh_token_field": "refreshToken", "access_token_field": "accessToken"}, "logout": {"url": "-"}}`},
	{"API responses hand out newer tokens", `
		> POST /login
		>
		> {"email": "ada@example.com", "password": "analytical", "otp": "123456"}
		< 200
		<
		< {"jwt": "A1-bbbbbbbbbbbbbbbbbbbb"}

		> GET /a
		> X-Token: A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		< X-New-Token: A2-bbbbbbbbbbbbbbbbbbbb
		<
		< {}

		> GET /b
		> X-Token: A2-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {}

		> GET /c
		> X-Token: A2-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {}`,
		`{"base_url": "https://api.example.com", "ask": ["email", "password", "otp"], "login": {"url": "/login"}, "refresh": {"url": "-"}, "logout": {"url": "-"},
		"attach": {"header": "X-Token"}, "hand_out_header": "X-New-Token"}`},
	{"a CSRF token that responses give", `
		> GET /session
		< 200
		<
		< {"csrf": {"token": "C0ffee0123456789"}}

		> POST /session
		> X-CSRF-Token: C0ffee0123456789
		>
		> {"name": "ada", "password": "analytical"}
		< 200
		< Set-Cookie: sess=S1-aaaaaaaaaaaaaaaaaaaa; Path=/; HttpOnly
		<
		< {"csrf": {"token": "C0ffee9876543210"}, "name": "ada"}

		> GET /things
		> Cookie: sess=S1-aaaaaaaaaaaaaaaaaaaa
		< 200
		<
		< []

		> POST /things
		> X-CSRF-Token: C0ffee9876543210
		> Cookie: sess=S1-aaaaaaaaaaaaaaaaaaaa
		>
		> {"title": "tea"}
		< 201

		> DELETE /session
		> X-CSRF-Token: C0ffee9876543210
		> Cookie: sess=S1-aaaaaaaaaaaaaaaaaaaa
		< 204`,
		`{"base_url": "https://api.example.com", "ask": ["name", "password"], "login": {"url": "/session"}, "refresh": {"method": "GET", "url": "/things", "touch": true},
		"logout": {"method": "DELETE", "url": "/session"}, "access_token": {"cookie": "sess"},
		"csrf": {"response_json": "csrf.token", "url": "/session"}}`},
}

func TestServers(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			r := learned(t, s.recorded)
			var got, want any
			if err := json.Unmarshal([]byte(s.want), &want); err != nil {
				t.Fatal(err)
			}
			json.Unmarshal([]byte(settings(t, r)), &got)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("settings\n%s\nwant\n%s\nfound %v\nmissing %q", settings(t, r), s.want, r.Findings, r.Missing)
			}
		})
	}
}
