// Package filewatch tells when files may have changed, however they are changed: written in place, renamed into place,
// deleted and created again, or reached through symlinks that are swapped, as Kubernetes does with ConfigMaps and Secrets.
//
// It says that it is time to look and not what has changed: whoever follows a file reads all of it and compares.
package filewatch
