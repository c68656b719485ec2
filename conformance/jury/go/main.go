// A judge: Go net/http. Prints its port, then each complete request as a line of JSON, and answers 200.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
)

type judgement struct {
	Method   string      `json:"method"`
	Target   string      `json:"target"`
	Host     string      `json:"host"`
	Fields   [][2]string `json:"fields"`
	Trailers [][2]string `json:"trailers"`
	Length   int         `json:"length"`
	Sha256   string      `json:"sha256"`
}

var notCompared = map[string]bool{
	"x-request-id": true, "connection": true, "content-length": true,
	"transfer-encoding": true, "trailer": true, "host": true,
}

// latin1 makes one character of each byte, as the other judges report text.
func latin1(bytes string) string {
	runes := make([]rune, len(bytes))
	for index := 0; index < len(bytes); index++ {
		runes[index] = rune(bytes[index])
	}
	return string(runes)
}

func sortedFields(header http.Header) [][2]string {
	pairs := [][2]string{}
	for name, values := range header {
		lower := strings.ToLower(name)
		if notCompared[lower] {
			continue
		}
		for _, value := range values {
			pairs = append(pairs, [2]string{lower, latin1(value)})
		}
	}
	sort.SliceStable(pairs, func(a, b int) bool { return pairs[a][0] < pairs[b][0] })
	return pairs
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	var output sync.Mutex
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	handler := func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			writer.WriteHeader(http.StatusBadRequest)
			return
		}
		digest := sha256.Sum256(body)
		output.Lock()
		_ = encoder.Encode(judgement{
			Method: latin1(request.Method), Target: latin1(request.RequestURI), Host: latin1(request.Host),
			Fields: sortedFields(request.Header), Trailers: sortedFields(request.Trailer),
			Length: len(body), Sha256: hex.EncodeToString(digest[:]),
		})
		output.Unlock()
		writer.Header().Set("X-Judge", "go")
		writer.Header().Set("Content-Length", "2")
		writer.WriteHeader(200)
		_, _ = writer.Write([]byte("ok"))
	}
	server := &http.Server{
		Handler:                      http.HandlerFunc(handler),
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0),
	}
	log.Fatal(server.Serve(listener))
}
