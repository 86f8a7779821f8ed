// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/falcosecurity/plugins/plugins/json/pkg/json"

	"mews/tests/real/register/fields"
)

func init() {
	fields.Only[json.Plugin]()
}

// A shared library has no main, but the build mode insists on one.
func main() {}
