#include "x509/der.h"

namespace certrebind {

namespace {

struct Header {
  size_t header_size = 0;
  size_t content_size = 0;
};

// Identifier and length octets at the start of `bytes`.
std::optional<Header> read_header(std::string_view bytes) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2 || (byte(0) & 0x1F) == 0x1F) return std::nullopt;
  if (byte(1) < 0x80) return Header{2, byte(1)};
  // Four length octets suffice for every certificate. Zero octets means BER's indefinite form.
  size_t octets = byte(1) & 0x7F;
  if (octets == 0 || octets > 4 || bytes.size() < 2 + octets || byte(2) == 0) return std::nullopt;
  size_t size = 0;
  for (size_t i = 0; i < octets; ++i) size = size << 8 | byte(2 + i);
  if (size < 0x80) return std::nullopt;
  return Header{2 + octets, size};
}

}  // namespace

std::optional<DerElement> DerReader::next() {
  auto header = read_header(rest_);
  if (!header || header->content_size > rest_.size() - header->header_size) return std::nullopt;
  size_t size = header->header_size + header->content_size;
  DerElement element{static_cast<unsigned char>(rest_.front()),
                     rest_.substr(header->header_size, header->content_size),
                     rest_.substr(0, size)};
  rest_.remove_prefix(size);
  return element;
}

std::optional<size_t> der_element_size(std::string_view bytes) {
  auto element = DerReader(bytes).next();
  if (!element) return std::nullopt;
  return element->whole.size();
}

}  // namespace certrebind
