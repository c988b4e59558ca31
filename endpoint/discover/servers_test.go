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
		"refresh": {"method": "GET", "url": "/api/user"}, "logout": {"url": "/logout", "headers": {"Origin": "https://spa.example.com", "Referer": "https://spa.example.com/"}},
		"csrf": {"cookie": "XSRF-TOKEN", "header": "X-Xsrf-Token", "url": "/sanctum/csrf-cookie"}, "access_token": {"cookie": "laravel_session"}}`},
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
