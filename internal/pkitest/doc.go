// Package pkitest makes certificates for tests: good ones, and those with which an attacker would come.
package pkitest
