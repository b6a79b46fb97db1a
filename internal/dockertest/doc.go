// Package dockertest tests the image and docker-compose.yml against a Docker daemon: make test-docker builds the image
// and runs it. Its files have the build tag docker, so that the other tests need no daemon.
package dockertest
