package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type serverOrder struct {
	Cert, Key string
	// Milliseconds after which a connection is sent away; 0 for never.
	MaxConnectionAge int
}

func serve(order []byte) {
	var options serverOrder
	if err := json.Unmarshal(order, &options); err != nil {
		fail(err.Error())
	}
	settings := []grpc.ServerOption{grpc.ForceServerCodec(bare{}), grpc.MaxRecvMsgSize(64 << 20)}
	if options.Cert != "" {
		pair, err := tls.X509KeyPair([]byte(options.Cert), []byte(options.Key))
		if err != nil {
			fail(err.Error())
		}
		settings = append(settings, grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	}
	if options.MaxConnectionAge > 0 {
		age := time.Duration(options.MaxConnectionAge) * time.Millisecond
		settings = append(settings, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: age}))
	}
	server := grpc.NewServer(settings...)
	server.RegisterService(&echo, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err.Error())
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		server.GracefulStop()
	}()
	say(map[string]any{"port": listener.Addr().(*net.TCPAddr).Port})
	if err := server.Serve(listener); err != nil {
		fail(err.Error())
	}
	say(map[string]string{"event": "stopped"})
}

var echo = grpc.ServiceDesc{
	ServiceName: "sallyport.interop.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Collect", Handler: collect, ClientStreams: true},
		{StreamName: "Scatter", Handler: scatter, ServerStreams: true},
		{StreamName: "Chat", Handler: chat, ClientStreams: true, ServerStreams: true},
	},
}

// A call in the server, whatever its kind: what its metadata asks for.
type visit struct {
	ctx  context.Context
	md   metadata.MD
	head func(metadata.MD) error
	tail func(metadata.MD)
}

// begin sends the head and does what comes before messages; an error ends the call.
func (v visit) begin() error {
	tail := metadata.MD{}
	head := metadata.Pairs("x-peer", "go", "x-authority", first(v.md, ":authority"), "x-forwarded", first(v.md, "x-forwarded-for"))
	for key, values := range v.md {
		if name, isEcho := strings.CutPrefix(key, "x-echo-"); isEcho {
			head.Append(key, values...)
			tail.Append("x-tail-"+name, values...)
		}
	}
	v.tail(tail)
	if first(v.md, "x-when") == "early" {
		return v.wanted()
	}
	if err := v.head(head); err != nil {
		return err
	}
	if id := first(v.md, "x-tell"); id != "" {
		say(map[string]string{"event": "begun", "id": id})
	}
	if id := first(v.md, "x-wait"); id != "" {
		say(map[string]string{"event": "waiting", "id": id})
		<-v.ctx.Done()
		say(map[string]string{"event": "ended", "id": id})
		return status.FromContextError(v.ctx.Err()).Err()
	}
	return nil
}

// wanted is the status the client asked for.
func (v visit) wanted() error {
	code, _ := strconv.Atoi(first(v.md, "x-status"))
	if code == 0 {
		return nil
	}
	return status.Error(codes.Code(code), first(v.md, "x-message-bin"))
}

func unary(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var message []byte
	if err := decode(&message); err != nil {
		return nil, err
	}
	md, _ := metadata.FromIncomingContext(ctx)
	v := visit{ctx, md, func(md metadata.MD) error { return grpc.SendHeader(ctx, md) }, func(md metadata.MD) { _ = grpc.SetTrailer(ctx, md) }}
	if err := v.begin(); err != nil {
		return nil, err
	}
	if err := v.wanted(); err != nil {
		return nil, err
	}
	return &message, nil
}

func visitOf(stream grpc.ServerStream) visit {
	md, _ := metadata.FromIncomingContext(stream.Context())
	return visit{stream.Context(), md, stream.SendHeader, stream.SetTrailer}
}

// collect answers with how much came, once all has come.
func collect(_ any, stream grpc.ServerStream) error {
	v := visitOf(stream)
	if err := v.begin(); err != nil {
		return err
	}
	sum := newSum()
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		sum.add(message)
	}
	text := []byte(fmt.Sprintf("%d %s", len(sum.sizes), sum.digest()))
	if err := stream.SendMsg(&text); err != nil {
		return err
	}
	return v.wanted()
}

// scatter is asked for "COUNT SIZE" and sends that.
func scatter(_ any, stream grpc.ServerStream) error {
	var message []byte
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	v := visitOf(stream)
	if err := v.begin(); err != nil {
		return err
	}
	var count, size int
	if _, err := fmt.Sscanf(first(v.md, "x-scatter"), "%d %d", &count, &size); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	for index := range count {
		piece := pattern(index, size)
		if err := stream.SendMsg(&piece); err != nil {
			return err
		}
	}
	return v.wanted()
}

// chat answers each message with itself.
func chat(_ any, stream grpc.ServerStream) error {
	v := visitOf(stream)
	if err := v.begin(); err != nil {
		return err
	}
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err == io.EOF {
			return v.wanted()
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
}
