// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/falcosecurity/plugins/plugins/json/pkg/json"

	"mews/tests/real/register"
)

func init() {
	register.Extractor[json.Plugin]()
}

// A shared library has no main, but the build mode insists on one.
func main() {}
