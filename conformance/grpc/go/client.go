package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// order is what calls.ts says of calls.
type order struct {
	Target, Authority, CA, Path, Kind, CancelOn string
	Metadata                                    [][2]string
	Send                                        []int
	Calls, Parallel, Deadline                   int
	UntilTerminated                             bool
}

type result struct {
	Code     int         `json:"code"`
	Message  string      `json:"message"`
	Header   metadata.MD `json:"header"`
	Trailer  metadata.MD `json:"trailer"`
	Received []int       `json:"received"`
	Digest   string      `json:"digest"`
}

func call(text []byte) {
	var wanted order
	if err := json.Unmarshal(text, &wanted); err != nil {
		fail(err.Error())
	}
	connection, err := grpc.NewClient("passthrough:///"+wanted.Target, wanted.dialOptions()...)
	if err != nil {
		fail(err.Error())
	}
	defer connection.Close()
	if wanted.UntilTerminated {
		wanted.keepCalling(connection)
		return
	}
	results := make([]result, wanted.Calls)
	var next atomic.Int64
	wanted.inParallel(func() {
		for index := next.Add(1) - 1; index < int64(wanted.Calls); index = next.Add(1) - 1 {
			results[index] = wanted.once(connection)
		}
	})
	say(map[string]any{"results": results})
}

// keepCalling calls until SIGTERM, then says how often each outcome came.
func (o order) keepCalling(connection *grpc.ClientConn) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	var isOver atomic.Bool
	go func() {
		<-asked
		isOver.Store(true)
	}()
	var guard sync.Mutex
	tally := map[string]int{}
	o.inParallel(func() {
		for !isOver.Load() {
			outcome := o.once(connection)
			guard.Lock()
			tally[strings.TrimSpace(fmt.Sprintf("%d %s", outcome.Code, outcome.Message))]++
			isFirst := len(tally) == 1 && tally["0"] == 1
			guard.Unlock()
			if isFirst {
				say(map[string]string{"event": "calling"})
			}
		}
	})
	say(map[string]any{"tally": tally})
}

func (o order) inParallel(work func()) {
	var group sync.WaitGroup
	for range o.Parallel {
		group.Go(work)
	}
	group.Wait()
}

func (o order) dialOptions() []grpc.DialOption {
	options := []grpc.DialOption{
		grpc.WithAuthority(o.Authority),
		grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(bare{}), grpc.MaxCallRecvMsgSize(64<<20)),
	}
	if o.CA == "" {
		return append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(o.CA))
	return append(options, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots})))
}

func (o order) once(connection *grpc.ClientConn) result {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if o.Deadline > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(o.Deadline)*time.Millisecond)
		defer cancel()
	}
	for _, pair := range o.Metadata {
		value := pair[1]
		if strings.HasSuffix(pair[0], "-bin") {
			bytes, _ := base64.StdEncoding.DecodeString(value)
			value = string(bytes)
		}
		ctx = metadata.AppendToOutgoingContext(ctx, pair[0], value)
	}
	sum := newSum()
	description := grpc.StreamDesc{ClientStreams: o.Kind == "client-stream" || o.Kind == "bidi", ServerStreams: o.Kind == "server-stream" || o.Kind == "bidi"}
	stream, err := connection.NewStream(ctx, &description, o.Path)
	if err != nil {
		return resultOf(err, nil, nil, sum)
	}
	if o.CancelOn == "headers" {
		go func() {
			_, _ = stream.Header()
			cancel()
		}()
	}
	err = o.converse(stream, sum)
	header, _ := stream.Header()
	return resultOf(err, header, stream.Trailer(), sum)
}

// converse sends and receives all there is; in a bidi call each answer is awaited before the next message.
func (o order) converse(stream grpc.ClientStream, sum *sum) error {
	sizes := o.Send
	if o.Kind == "unary" || o.Kind == "server-stream" {
		sizes = sizes[:1]
	}
	for index, size := range sizes {
		message := pattern(index, size)
		if err := stream.SendMsg(&message); err != nil {
			break // what went wrong is told by RecvMsg
		}
		if o.Kind == "bidi" && o.CancelOn == "" {
			if err := receive(stream, sum); err != nil {
				return end(err)
			}
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		if err := receive(stream, sum); err != nil {
			return end(err)
		}
	}
}

func receive(stream grpc.ClientStream, sum *sum) error {
	var message []byte
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	sum.add(message)
	return nil
}

func end(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

func resultOf(err error, header, trailer metadata.MD, sum *sum) result {
	state := status.Convert(err)
	return result{int(state.Code()), state.Message(), encoded(header), encoded(trailer), sum.sizes, sum.digest()}
}

// encoded has binary values in base64, as JSON cannot hold them.
func encoded(md metadata.MD) metadata.MD {
	all := metadata.MD{}
	for key, values := range md {
		for _, value := range values {
			if strings.HasSuffix(key, "-bin") {
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
			all[key] = append(all[key], value)
		}
	}
	return all
}
