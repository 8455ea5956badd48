-- The requests of a wrk run: arguments after `--` are hosts to ask in turn. The summary is JSON.
local requests = {}
local at = 0

function init(hosts)
  for index, host in ipairs(hosts) do
    requests[index] = wrk.format("GET", "/", { Host = host })
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"failed":%d,"broken":%d,"p50Micros":%d,"p99Micros":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
