-- Sends the requests of a file in turn, and says at the end what came of them, as JSON:
--   wrk --latency -t1 -c32 -d8s -s replay.lua http://127.0.0.1:8000 -- FILE [check]
-- Each line of the file is one request: method, path, media type to accept, token and body, separated by tabs.
-- Everything is put together before the load begins. With `check` each answer is looked at, which costs wrk as much as
-- the sending; without it only the statuses count.

local requests, last, threads = {}, 0, {}

-- Counted by the thread that sends; global, so that `done` can ask for it.
wrong = 0

function setup(thread)
  threads[#threads + 1] = thread
end

function init(arguments)
  for line in io.lines(arguments[1]) do
    local method, path, accept, token, body = line:match("^(.-)\t(.-)\t(.-)\t(.-)\t(.*)$")
    local headers = { Accept = accept, Authorization = "Bearer " .. token }
    if body == "" then
      body = nil
    else
      headers["Content-Type"] = "application/json"
    end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
  if arguments[2] == "check" then
    function response(status, _, body)
      if status >= 300 or body:find('"errors"', 1, true) then
        wrong = wrong + 1
      end
    end
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  for _, thread in ipairs(threads) do
    failures = failures + thread:get("wrong")
  end
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50Ms": %.3f, "p99Ms": %.3f, "failures": %d}\n',
    summary.requests,
    summary.duration / 1e6,
    latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    failures
  ))
end
