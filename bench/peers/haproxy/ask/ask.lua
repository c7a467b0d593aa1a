-- Asks whether a request may pass: yes is 204.
core.register_action("ask", { "http-req" }, function(transaction)
    local authorization = transaction.http:req_get_headers()["authorization"]
    local answer = core.httpclient():get({
        url = "http://@ASKED@/ask",
        headers = { authorization = { authorization and authorization[0] or "" } },
        timeout = 2000,
    })
    transaction:set_var("txn.allowed", answer ~= nil and answer.status == 204)
end)
