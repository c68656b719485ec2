module sallyport/conformance/jury

go 1.22
