// Package repotest holds the rules of the repository as tests: which package may import which, what a program links,
// what is exported and that it is documented, and that the code in the README compiles.
//
// It has no code of its own. The exported API is the file testdata/api.txt; where a change to it is meant,
//
//	make api
//
// writes it anew, and the difference is part of the change that is reviewed.
package repotest
