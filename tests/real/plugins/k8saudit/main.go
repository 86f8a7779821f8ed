// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/falcosecurity/plugins/plugins/k8saudit/pkg/k8saudit"

	"mews/tests/real/register"
)

func init() {
	register.SourceAndExtractor[k8saudit.Plugin]()
}

// A shared library has no main, but the build mode insists on one.
func main() {}
