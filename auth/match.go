package auth

// A ResponseMatch is a rule by which an API response rejects the access token, for servers that do not say so by 401. A
// response fits if it fits every field that is set; one has to be. It is for the API what endpoint.RefusedBy is for the
// auth server.
type ResponseMatch struct {
	// Status is the HTTP status, from 200 to 599; 0: any.
	Status int `json:"status,omitempty"`
	// Location is a part of the URL that a redirect leads to, as it is written: "/login", say.
	Location string `json:"location,omitempty"`
	// Body is a part of the body as it is written, "token expired" say. It is looked for in the first 64 KiB of a body
	// that is a document and no stream.
	Body string `json:"body,omitempty"`
}
