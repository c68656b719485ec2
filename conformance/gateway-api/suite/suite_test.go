// Package suite builds the official conformance suite of the Gateway API as one test binary (`go test -c`); the module
// pins its version, and that of the echo server its pods run.
package suite

import (
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
)

// TestConformance runs the suite as its flags say; the name is the one that -test.run and reports of others know.
func TestConformance(t *testing.T) {
	conformance.RunConformance(t)
}
