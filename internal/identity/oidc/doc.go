// Package oidc verifies tokens of OpenID Connect issuers, whose keys it fetches and keeps.
package oidc
