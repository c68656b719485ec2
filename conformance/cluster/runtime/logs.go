package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A logFile takes a container's output in the format that kubelets read: time, stream, F or P (the line goes on), text.
type logFile struct {
	path string
	mu   sync.Mutex
	file *os.File
}

// openLog drops everything where the path is empty.
func openLog(path string) (*logFile, error) {
	l := &logFile{path: path}
	if path == "" {
		return l, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return l, l.reopen()
}

// reopen begins a new file after a kubelet has renamed the old one.
func (l *logFile) reopen() error {
	if l == nil || l.path == "" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	var err error
	l.file, err = os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	return err
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

func (l *logFile) copy(from io.Reader, stream string) {
	lines := bufio.NewReaderSize(from, 16<<10)
	var entry []byte
	for {
		text, err := lines.ReadSlice('\n')
		if len(text) > 0 {
			tag := " F "
			if err != nil {
				tag = " P "
			}
			entry = time.Now().UTC().AppendFormat(entry[:0], time.RFC3339Nano)
			entry = append(append(append(entry, ' '), stream...), tag...)
			entry = append(append(entry, bytes.TrimSuffix(text, []byte{'\n'})...), '\n')
			l.write(entry)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

func (l *logFile) write(entry []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_, _ = l.file.Write(entry)
	}
}
