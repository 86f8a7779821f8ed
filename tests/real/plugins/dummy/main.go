// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/falcosecurity/plugins/plugins/dummy/pkg/dummy"

	"mews/tests/real/register"
)

func init() {
	register.SourceAndExtractor[dummy.Plugin]()
}

// A shared library has no main, but the build mode insists on one.
func main() {}
