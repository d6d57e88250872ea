-- Releases of many projects, a new version in each; arguments: space, projects joined by commas. The key: OCTOLOAD_KEY.
local projects, headers, path = {}, {}, nil
local count = 0

function init(arguments)
  path = "/api/" .. arguments[1] .. "/releases"
  for project in string.gmatch(arguments[2], "[^,]+") do projects[#projects + 1] = project end
  headers["X-Octopus-ApiKey"] = os.getenv("OCTOLOAD_KEY")
  headers["Content-Type"] = "application/json"
end

function request()
  count = count + 1
  local body = string.format('{"ProjectId":"%s","Version":"1.%d"}', projects[count % #projects + 1], count)
  return wrk.format("POST", path, headers, body)
end

function done(summary, latency, requests)
  local refused = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format('{"requests":%d,"seconds":%f,"refused":%d}\n', summary.requests, summary.duration / 1e6, refused))
end
