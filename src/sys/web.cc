#include "sys/web.h"

#include <curl/curl.h>

#include <memory>

#include "base/text.h"

namespace certrebind {

namespace {

size_t ignore(char*, size_t size, size_t count, void*) {
  return size * count;
}

}  // namespace

Done post(const std::string& url, const std::string& content_type, const std::string& body,
          milliseconds deadline) {
  std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      curl_slist_append(nullptr, ("Content-Type: " + content_type).c_str()), curl_slist_free_all);
  if (!curl || !headers) return fail(Code::failed, "post to", printable(url), "out of memory");
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "certrebind");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(deadline.count()));
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, ignore);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK)
    return fail(Code::failed, "post to", printable(url), curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299)
    return fail(Code::failed, "post to", printable(url),
                "the server answered with status " + std::to_string(status));
  return {};
}

}  // namespace certrebind
