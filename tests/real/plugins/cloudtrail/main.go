// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/falcosecurity/plugins/plugins/cloudtrail/pkg/cloudtrail"

	"mews/tests/real/register"
)

func init() {
	register.SourceAndExtractor[cloudtrail.Plugin]()
}

// A shared library has no main, but the build mode insists on one.
func main() {}
