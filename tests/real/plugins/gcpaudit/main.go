// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/falcosecurity/plugins/plugins/gcpaudit/pkg/gcpaudit"

	"mews/tests/real/register"
)

func init() {
	register.SourceAndExtractor[gcpaudit.Plugin]()
}

// A shared library has no main, but the build mode insists on one.
func main() {}
