-- wrk: registers instances that were never registered before, over 5,000 nodes and 1,000 services.
local next_thread = 0

function setup(thread)
    thread:set("id", next_thread)
    next_thread = next_thread + 1
end

function init(args)
    -- The first argument tells the rounds apart, so that no round meets the instances of another.
    round = args[1] or "0"
    count = 0
end

function request()
    count = count + 1
    local node = (count * 7919 + id) % 5000
    local body = string.format(
        '{"Node":"node-%d","Address":"10.0.%d.%d","Service":{"ID":"i-%s-%d-%d",'
            .. '"Service":"service-%d","Port":%d,"Tags":["v1","primary"],'
            .. '"Meta":{"version":"1.0.0"}}}',
        node, math.floor(node / 256), node % 256, round, id, count,
        count % 1000, 1024 + count % 60000)
    return wrk.format("PUT", "/v1/catalog/register", nil, body)
end
