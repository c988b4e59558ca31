package main

func stop(st *stage) { st.unixOnly() }

func disk(st *stage) { st.skip("it needs Unix permissions") }

func full(st *stage) { st.skip("it needs a file system of its own") }
