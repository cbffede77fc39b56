-- wrk: puts values of 256 bytes under 10,000 keys per thread.
local next_thread = 0

function setup(thread)
    thread:set("id", next_thread)
    next_thread = next_thread + 1
end

function init()
    count = 0
    value = string.rep("x", 256)
end

function request()
    count = count + 1
    return wrk.format("PUT", "/v1/kv/bench/" .. id .. "/" .. (count % 10000), nil, value)
end
