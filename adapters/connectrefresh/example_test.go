package connectrefresh_test

import (
	"context"
	"fmt"
	"log"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/adapters/connectrefresh"
)

// A client whose calls are logged in; a generated one takes the same arguments. Where nobody has logged in yet, a call
// says so without being sent.
func Example() {
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com"})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	greet := connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](
		client.HTTPClient(), "https://api.example.com/greet.v1.GreetService/Greet",
		connect.WithGRPC(),
		connect.WithInterceptors(connectrefresh.NewInterceptor(client)))
	_, err = greet.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String("Ada")))
	fmt.Println(err)
	// Output: unauthenticated: silentrefresh: no session: call Login
}
