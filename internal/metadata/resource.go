package metadata

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/origin"
)

const protectedResource = "oauth-protected-resource"

// FetchResource returns the document of the protected resource at the URL resource. named is where its challenge says
// that the document is (RFC 9728 section 5.1), "" if it does not say; only there is asked then.
func FetchResource(ctx context.Context, get Getter, resource, named string) (*Resource, error) {
	places := []string{named}
	if named == "" {
		var err error
		if places, err = ResourcePlaces(resource); err != nil {
			return nil, err
		}
	}
	return search(ctx, get, places, func(_ string, doc *Resource) error {
		if Covers(doc.Resource, resource) {
			return nil
		}
		return &MismatchError{What: "resource", Asked: resource, Says: doc.Resource}
	})
}

// ResourcePlaces are the URLs where the document of resource may be: for its path, then for its whole host.
func ResourcePlaces(resource string) ([]string, error) {
	u, err := url.Parse(resource)
	if err != nil {
		return nil, err
	}
	u.Fragment = ""
	root := *u
	root.Path, root.RawPath, root.RawQuery = "", "", ""
	return unique([]string{insert(*u, protectedResource), insert(root, protectedResource)}), nil
}

// Covers reports whether identifier is the resource at the URL u, or one that u is a part of: of the same origin, with
// a path that begins u's. RFC 9728 section 3.3 wants them to be equal; hosts publish one document for all that is below.
func Covers(identifier, u string) bool {
	if identifier == u {
		return true
	}
	a, errA := url.Parse(identifier)
	b, errB := url.Parse(u)
	if errA != nil || errB != nil || a.User != nil || a.Fragment != "" || a.RawQuery != "" && a.RawQuery != b.RawQuery {
		return false
	}
	if !origin.Same(a, b) || dotted(a) || dotted(b) {
		return false
	}
	return strings.HasPrefix(strings.TrimRight(b.EscapedPath(), "/")+"/", strings.TrimRight(a.EscapedPath(), "/")+"/")
}

// dotted reports whether u has a path that is not what it seems.
func dotted(u *url.URL) bool {
	parts := strings.Split(u.Path, "/")
	return slices.Contains(parts, "..") || slices.Contains(parts, ".")
}
