// SPDX-License-Identifier: Apache-2.0

// Package fields is register for plugins that have no events of their own. It is a package
// apart because the SDK exports the symbols of a source as soon as its package is linked, and
// a plugin that has them is one.
package fields

import (
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/extractor"
)

type plugin[T any] interface {
	*T
	extractor.Plugin
}

// Only is for a plugin that reads fields from other plugins' events.
func Only[T any, P plugin[T]]() {
	plugins.SetFactory(func() plugins.Plugin {
		p := P(new(T))
		extractor.Register(p)
		return p
	})
}
