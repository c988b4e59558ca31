package authtest_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/url"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// A patientClient is somebody's client under test: it refreshes when the API refuses its token.
type patientClient struct {
	http  *http.Client
	base  string
	token string
}

func (c *patientClient) post(path string, form url.Values) error {
	resp, err := c.http.PostForm(c.base+path, form)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var response struct{ AccessToken string }
	if err := json.NewDecoder(resp.Body).Decode(&response); err != nil {
		return err
	}
	c.token = response.AccessToken
	return nil
}

func (c *patientClient) get(path string) (status int, err error) {
	for range 2 {
		req, err := http.NewRequest(http.MethodGet, c.base+path, nil)
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := c.http.Do(req)
		if err != nil {
			return 0, err
		}
		resp.Body.Close()
		if status = resp.StatusCode; status != http.StatusUnauthorized {
			break
		}
		if err := c.post("/auth/refresh", nil); err != nil {
			return 0, err
		}
	}
	return status, nil
}

// A test of one's own client. In a test function, NewServer is shorter.
func Example() {
	server, err := authtest.Start(authtest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	client := &patientClient{http: &http.Client{Transport: server.Transport(), Jar: jar}, base: server.URL()}
	err = client.post("/auth/login", url.Values{"email": {authtest.DefaultEmail}, "password": {authtest.DefaultPassword}})
	if err != nil {
		log.Fatal(err)
	}

	server.ExpireAll()
	status, err := client.get("/me")
	fmt.Println("after expiry:", status, err)

	server.Fault(authtest.Fault{Kind: authtest.Drop, Commit: true}) // the refresh token is spent, the response is lost
	server.RevokeAccess()
	_, err = client.get("/me")
	fmt.Println("after a lost response, an error:", err != nil)
	status, _ = client.get("/me") // this client presents the spent refresh token again
	n := server.Counters()
	fmt.Printf("then: %d, %d refreshes, %d reuses, %d sessions left\n", status, n.Refreshes, n.Reuses, len(server.Sessions()))

	// Output:
	// after expiry: 200 <nil>
	// after a lost response, an error: true
	// then: 401, 2 refreshes, 1 reuses, 0 sessions left
}
