// The grpc-go peer of the gRPC suite: `peer server JSON` serves Echo, `peer client JSON` makes calls. Messages are bare bytes,
// so that no generated code is needed. What happens is told on standard output, one JSON object a line.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"google.golang.org/grpc/metadata"
)

func main() {
	if len(os.Args) != 3 {
		fail("usage: peer server|client JSON")
	}
	switch os.Args[1] {
	case "server":
		serve([]byte(os.Args[2]))
	case "client":
		call([]byte(os.Args[2]))
	default:
		fail("usage: peer server|client JSON")
	}
}

// bare passes messages as they are.
type bare struct{}

func (bare) Marshal(value any) ([]byte, error) { return *value.(*[]byte), nil }

func (bare) Unmarshal(bytes []byte, value any) error {
	*value.(*[]byte) = bytes
	return nil
}

func (bare) Name() string { return "proto" }

var printing sync.Mutex

func say(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		fail(err.Error())
	}
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(line))
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}

// first is the first value of a key, or "".
func first(md metadata.MD, key string) string {
	if values := md.Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}
