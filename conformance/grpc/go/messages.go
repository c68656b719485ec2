package main

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// pattern is the message of an index: other peers of the suite make the same.
func pattern(index, size int) []byte {
	bytes := make([]byte, size)
	for at := range bytes {
		bytes[at] = byte(at*7 + index)
	}
	return bytes
}

// sum is what is told of messages instead of themselves.
type sum struct {
	hash  hash.Hash
	sizes []int
}

func newSum() *sum { return &sum{hash: sha256.New(), sizes: []int{}} }

func (s *sum) add(message []byte) {
	s.hash.Write(message)
	s.sizes = append(s.sizes, len(message))
}

func (s *sum) digest() string { return hex.EncodeToString(s.hash.Sum(nil)) }
