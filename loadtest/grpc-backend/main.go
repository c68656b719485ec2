// The backend of gRPC scenarios: a real gRPC server whose methods carry bytes as they are, so that nothing but gRPC itself
// costs it anything. `grpc-backend PORT` serves on loopback; `grpc-backend --version` says what it is built with.
//
//	Echo     answers with the message it was sent
//	Seen     answers with the x-forwarded-for and x-request-id it was sent, one a line
//	Hold     answers as Echo does, but not before the next Release
//	Held     answers with the number of calls that are being held
//	Release  lets all calls go that are being held, and answers with their number
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// gate holds calls until it is opened; then the next ones are held by a new one.
type gate struct {
	mutex sync.Mutex
	held  int
	open  chan struct{}
}

func (g *gate) wait(ctx context.Context) error {
	g.mutex.Lock()
	g.held++
	open := g.open
	g.mutex.Unlock()
	select {
	case <-open:
		return nil
	case <-ctx.Done():
		g.mutex.Lock()
		defer g.mutex.Unlock()
		if g.open == open {
			g.held--
		}
		return ctx.Err()
	}
}

func (g *gate) count() int {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.held
}

func (g *gate) release() int {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	held := g.held
	close(g.open)
	g.open, g.held = make(chan struct{}), 0
	return held
}

// rawCodec passes messages on as bytes: the server's own work is to be gRPC's, not that of a message format.
type rawCodec struct{}

func (rawCodec) Marshal(message any) ([]byte, error) {
	bytes, ok := message.([]byte)
	if !ok {
		return nil, fmt.Errorf("not bytes: %T", message)
	}
	return bytes, nil
}

func (rawCodec) Unmarshal(data []byte, message any) error {
	target, ok := message.(*[]byte)
	if !ok {
		return fmt.Errorf("not bytes: %T", message)
	}
	*target = append([]byte(nil), data...)
	return nil
}

func (rawCodec) Name() string { return "proto" }

type method func(ctx context.Context, message []byte) ([]byte, error)

func unary(name string, run method) grpc.MethodDesc {
	handler := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var message []byte
		if err := decode(&message); err != nil {
			return nil, err
		}
		return run(ctx, message)
	}
	return grpc.MethodDesc{MethodName: name, Handler: handler}
}

func service() *grpc.ServiceDesc {
	calls := &gate{open: make(chan struct{})}
	number := func(count int) ([]byte, error) { return []byte(strconv.Itoa(count)), nil }
	return &grpc.ServiceDesc{
		ServiceName: "bench.Bench",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			unary("Echo", func(_ context.Context, message []byte) ([]byte, error) { return message, nil }),
			unary("Seen", func(ctx context.Context, _ []byte) ([]byte, error) { return seen(ctx), nil }),
			unary("Hold", func(ctx context.Context, message []byte) ([]byte, error) { return message, calls.wait(ctx) }),
			unary("Held", func(context.Context, []byte) ([]byte, error) { return number(calls.count()) }),
			unary("Release", func(context.Context, []byte) ([]byte, error) { return number(calls.release()) }),
		},
	}
}

func seen(ctx context.Context) []byte {
	fields, _ := metadata.FromIncomingContext(ctx)
	values := func(name string) string { return strings.Join(fields.Get(name), ", ") }
	return []byte(values("x-forwarded-for") + "\n" + values("x-request-id") + "\n")
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("grpc-go", grpc.Version)
		return
	}
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "grpc-backend:", err)
		os.Exit(1)
	}
}

func serve(arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("usage: grpc-backend PORT")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+arguments[0])
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.ForceServerCodec(rawCodec{}))
	server.RegisterService(service(), struct{}{})
	return server.Serve(listener)
}
