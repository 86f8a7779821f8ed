// SPDX-License-Identifier: Apache-2.0

// Package register puts a plugin type behind the C symbols that the SDK exports.
//
// The SDK asks its factory for a fresh value on every plugin_init, and once more while
// the library loads, to learn the plugin's name and fields.
package register

import (
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/extractor"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/source"
)

type sourceExtractor[T any] interface {
	*T
	source.Plugin
	extractor.Plugin
}

// SourceAndExtractor is for a plugin with events and fields of its own.
func SourceAndExtractor[T any, P sourceExtractor[T]]() {
	plugins.SetFactory(func() plugins.Plugin {
		p := P(new(T))
		source.Register(p)
		extractor.Register(p)
		return p
	})
}
