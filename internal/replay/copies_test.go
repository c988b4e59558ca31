package replay

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
)

// waitingBody is a body whose Read lasts until it is closed, and whose Close waits for whoever reads.
type waitingBody struct{ closing, left chan struct{} }

func (b *waitingBody) Read([]byte) (int, error) { <-b.closing; return 0, io.EOF }

func (b *waitingBody) Close() error {
	close(b.closing)
	<-b.left
	return nil
}

// A Close that waits for the reader holds up nobody, and the next copy is taken only when it has returned.
func TestF12_ABodyIsClosedUnderNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := &waitingBody{closing: make(chan struct{}), left: make(chan struct{})}
		next := 0
		all, first := copiesOf(&http.Request{Body: body, GetBody: func() (io.ReadCloser, error) { next++; return http.NoBody, nil }})
		read := make(chan struct{})
		go func() {
			first.Read(make([]byte, 1))
			close(read)
		}()
		synctest.Wait()
		go first.Close()
		<-read
		again, err := all.again()
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if next != 0 {
			t.Error("the next copy was taken while the one before was being closed")
		}
		close(body.left)
		if _, err := again.Read(make([]byte, 1)); err != io.EOF || next != 1 {
			t.Errorf("%v after %d copies", err, next)
		}
		again.Close()
	})
}
