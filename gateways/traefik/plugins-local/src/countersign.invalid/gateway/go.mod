module countersign.invalid/gateway

go 1.22
