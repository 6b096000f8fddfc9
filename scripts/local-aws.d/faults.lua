-- faults.lua: faults that the gateway injects at run time, and the control service that adds, lists and clears them.
--
-- gateway.cfg calls   http-request lua.fault            picks a fault; sleeps itself, or leaves its order in txn variables:
--                     http-request use-service lua.fault_reply if txn.reply      an answer of our own
--                     http-request reject if txn.cut
--                     http-response lua.fault_header, filter lua.fault_cut_body                  change the real answer
--                     http-request use-service lua.fault_control                 on the control socket
-- A fault is a table: id, kind, args, body, method, path, regex, action, skip, count, retry_after, hits. One thread runs all this.

local faults = {}       -- in the order they were added: the first match wins
local last_id = 0

-- Requests whose answer is ours, between lua.fault and lua.fault_reply: number -> answer
local replies = {}
local last_reply = 0

local function xml_escape(text)
    return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

local function url_decode(text)
    return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function request_id()
    return string.format("%08X%08X", math.random(0, 0xffffffff), math.random(0, 0xffffffff))
end

-- The error answer of S3, or of STS for POST /.
local function error_reply(request, status, code, message, elements)
    local id = request_id()
    local body
    if request.action then
        local fault_of = status >= 500 and "Receiver" or "Sender"
        body = '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>' .. fault_of ..
            "</Type><Code>" .. xml_escape(code) .. "</Code><Message>" .. xml_escape(message) ..
            "</Message></Error><RequestId>" .. id .. "</RequestId></ErrorResponse>"
    else
        body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>' .. xml_escape(code) ..
            "</Code><Message>" .. xml_escape(message) .. "</Message>" .. (elements or "") ..
            "<RequestId>" .. id .. "</RequestId><HostId>local-aws</HostId></Error>"
    end
    return { status = status, body = body, log = code, headers = {
        ["content-type"] = request.action and "text/xml" or "application/xml",
        ["x-amz-request-id"] = id,
        ["x-amzn-requestid"] = request.action and id or nil,
    } }
end

-- kinds[name](fault, request, txn) does it, or returns an answer of our own.
local kinds = {}

kinds["status"] = function(fault, request)
    local reply = error_reply(request, tonumber(fault.args[1]), fault.args[2], fault.args[3] or "injected fault")
    reply.headers["retry-after"] = fault.retry_after
    return reply
end

kinds["expired-token"] = function(_, request)
    if request.action then
        return error_reply(request, 403, "ExpiredToken", "The security token included in the request is expired")
    end
    return error_reply(request, 400, "ExpiredToken", "The provided token has expired.")
end

kinds["redirect"] = function(fault, request)
    local region = fault.args[1]
    local bucket = request.path:match("^/([^/?]+)") or ""
    local endpoint = fault.args[2] or ((bucket ~= "" and bucket .. "." or "") .. "s3." .. region .. ".amazonaws.com")
    local reply = error_reply(request, 301, "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. " ..
        "Please send all future requests to this endpoint.",
        "<Endpoint>" .. xml_escape(endpoint) .. "</Endpoint><Bucket>" .. xml_escape(bucket) .. "</Bucket>")
    reply.headers["x-amz-bucket-region"] = region
    return reply
end

kinds["body"] = function(fault)
    return { status = 200, body = fault.body, headers = {
        ["content-type"] = "application/xml", ["x-amz-request-id"] = request_id() } }
end

kinds["delay"] = function(fault)
    core.msleep(tonumber(fault.args[1]))
end

kinds["hang"] = function(fault)
    while not fault.cleared do
        core.msleep(50)
    end
end

kinds["cut"] = function(_, _, txn)
    txn:set_var("txn.cut", true)
end

kinds["cut-body"] = function(fault, _, txn)
    txn:set_var("txn.cut_body", tonumber(fault.args[1]))
end

kinds["header"] = function(fault, _, txn)
    txn:set_var("txn.header_name", fault.args[1])
    txn:set_var("txn.header_value", fault.args[2])
end

local function matches(fault, request)
    return (not fault.method or fault.method == request.method)
        and (not fault.action or fault.action == request.action)
        and (not fault.regex or fault.regex:exec(request.path))
        -- a bucket answers those who sign for its region
        and not (fault.kind == "redirect" and fault.args[1] == request.region)
end

local function remove(fault)
    for i, other in ipairs(faults) do
        if other == fault then
            table.remove(faults, i)
            return
        end
    end
end

-- The first fault that matches and has let its first ones pass; counts.
local function pick(request)
    for _, fault in ipairs(faults) do
        if matches(fault, request) then
            if fault.skip > 0 then
                fault.skip = fault.skip - 1
            else
                fault.hits = fault.hits + 1
                if fault.hits == fault.count then
                    remove(fault)
                end
                return fault
            end
        end
    end
end

core.register_action("fault", { "http-req" }, function(txn)
    local request = {
        method = txn.sf:method(),
        path = txn:get_var("txn.path"),
        action = txn:get_var("txn.action"),
        region = txn:get_var("txn.region"),
    }
    local fault = pick(request)
    if not fault then
        return
    end
    txn:set_var("txn.fault", fault.kind)
    local reply = kinds[fault.kind](fault, request, txn)
    if reply then
        txn:set_var("txn.fault", reply.log or fault.kind)
        last_reply = last_reply + 1
        replies[last_reply] = reply
        txn:set_var("txn.reply", last_reply)
    end
end, 0)

core.register_service("fault_reply", "http", function(applet)
    local number = applet:get_var("txn.reply")
    local reply = replies[number]
    replies[number] = nil
    applet:set_status(reply.status)
    for name, value in pairs(reply.headers) do
        applet:add_header(name, value)
    end
    local bodiless = applet.method == "HEAD" or reply.status == 204 or reply.status == 304
    if not bodiless then
        applet:add_header("content-length", tostring(#reply.body))
    end
    applet:start_response()
    if not bodiless then
        applet:send(reply.body)
    end
end)

core.register_action("fault_header", { "http-res" }, function(txn)
    txn.http:res_set_header(txn:get_var("txn.header_name"), txn:get_var("txn.header_value"))
end, 0)

-- A real answer with content-length: so many bytes go out and the rest is dropped; when HAProxy calls again, it is told to break
-- off. It does so for http_end; what http_payload returns is not looked at, so that one must fail (gateway.err tells it).
local CutBody = { id = "cut-body", flags = filter.FLT_CFG_FL_HTX }
CutBody.__index = CutBody

function CutBody:new()
    return setmetatable({}, CutBody)
end

function CutBody:http_headers(txn, message)
    self.left = message.channel:is_resp() and txn:get_var("txn.cut_body")
    if self.left then
        local part = message:get_headers()["x-local-aws-part"]
        if part then
            self.left = math.min(self.left, tonumber(part[0]) - 1)
            message:del_header("x-local-aws-part")
        end
        filter.register_data_filter(self, message.channel)
    end
    return filter.CONTINUE
end

function CutBody:http_payload(_, message)
    if self.cut then
        message:unset_eom()
        error("cut-body: cut here", 0)
    end
    if not self.left then
        return
    end
    local bytes = message:input()
    if bytes <= self.left then
        self.left = self.left - bytes
        return
    end
    self.cut = true
    message:remove(self.left)
    message:forward(self.left)
end

function CutBody:http_end(_, message)
    if not self.cut then
        return filter.CONTINUE
    end
    message:unset_eom()
    return filter.ERROR
end

core.register_filter("fault_cut_body", CutBody, function(class) return class end)

-- HAProxy 2.6 may still send the last chunk of a chunked answer that is cut. So an answer to be cut first goes through the frontend
-- "whole", which gives it a content-length; of one larger than the buffer only what is in it, marked as a part.
local BUFFERED_IS_ALL = 32768       -- gateway.cfg's tune.bufsize is 65536

core.register_action("fault_make_whole", { "http-res" }, function(txn)
    local body = txn.f:res_body()
    local reply = txn:reply({ status = txn.f:status() })
    for name, values in pairs(txn.http:res_get_headers()) do
        if name ~= "transfer-encoding" then
            for _, value in pairs(values) do
                reply:add_header(name, value)
            end
        end
    end
    if #body > BUFFERED_IS_ALL then
        reply:add_header("x-local-aws-part", tostring(#body))
    end
    reply:set_body(body)
    txn:done(reply)
end, 0)

-- control: /ping  /list  /clear?id=  /add?kind=&arg=&arg=&method=&path=&action=&skip=&count=&retry_after= (body: of kind body)

local function describe(fault)
    local words = { fault.id, "hits=" .. fault.hits }
    for _, name in ipairs({ "method", "path", "action" }) do
        if fault[name] then
            table.insert(words, name .. "=" .. fault[name])
        end
    end
    if fault.skip > 0 then
        table.insert(words, "skip=" .. fault.skip)
    end
    if fault.count then
        table.insert(words, "left=" .. fault.count - fault.hits)
    end
    table.insert(words, fault.kind)
    for _, arg in ipairs(fault.args) do
        table.insert(words, arg)
    end
    return table.concat(words, " ") .. "\n"
end

local control = {}

function control.ping()
    return 200, ""
end

function control.list()
    local lines = {}
    for _, fault in ipairs(faults) do
        table.insert(lines, describe(fault))
    end
    return 200, table.concat(lines)
end

-- Those that wait in a hang hold their fault, so it is told, too.
local hanging = setmetatable({}, { __mode = "k" })

function control.clear(query)
    if query.id == "" then
        query.id = nil
    end
    local found = not query.id
    for fault in pairs(hanging) do
        if not query.id or tostring(fault.id) == query.id then
            fault.cleared = true
            found = true
        end
    end
    for i = #faults, 1, -1 do
        if not query.id or tostring(faults[i].id) == query.id then
            table.remove(faults, i)
            found = true
        end
    end
    return found and 200 or 404, found and "" or "no such fault\n"
end

function control.add(query, args, body)
    local fault = {
        id = last_id + 1, kind = query.kind, args = args, body = body, hits = 0,
        method = query.method, path = query.path, action = query.action,
        skip = tonumber(query.skip) or 0, count = tonumber(query.count), retry_after = query.retry_after,
    }
    if not kinds[fault.kind] then
        return 400, "unknown kind of fault\n"
    end
    if fault.path then
        local ok, regex = Regex.new(fault.path, true)
        if not ok then
            return 400, "not a regular expression: " .. fault.path .. "\n"
        end
        fault.regex = regex
    end
    last_id = fault.id
    table.insert(faults, fault)
    if fault.kind == "hang" then
        hanging[fault] = true
    end
    return 200, fault.id .. "\n"
end

core.register_service("fault_control", "http", function(applet)
    local query, args = {}, {}
    for name, value in (applet.qs or ""):gmatch("([^&=]+)=([^&]*)") do
        if name == "arg" then
            table.insert(args, url_decode(value))
        else
            query[name] = url_decode(value)
        end
    end
    local command = control[applet.path:sub(2)]
    local status, answer = 404, "unknown command\n"
    if command then
        status, answer = command(query, args, applet:receive())
    end
    applet:set_status(status)
    applet:add_header("content-length", tostring(#answer))
    applet:start_response()
    applet:send(answer)
end)
