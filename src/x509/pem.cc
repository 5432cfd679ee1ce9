#include "x509/pem.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "base/text.h"
#include "x509/der.h"

namespace certrebind {

namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// A boundary line within `text`: "-----BEGIN LABEL-----", alone on its line. As in OpenSSL, nothing
// may precede it on its line (except a byte order mark on the first line), and only blanks may
// follow it.
struct Boundary {
  std::string_view label;
  size_t begin = 0;  // of the line
  size_t end = 0;    // of the line, its newline included
};

// The boundary in the line that starts at `begin`, if it is one.
std::optional<Boundary> boundary_at(std::string_view text, size_t begin, std::string_view opening) {
  bool starts_line = begin == 0 || text[begin - 1] == '\n' ||
                     (begin == kByteOrderMark.size() && text.starts_with(kByteOrderMark));
  if (!starts_line) return std::nullopt;
  size_t newline = text.find('\n', begin);
  size_t end = newline == std::string_view::npos ? text.size() : newline + 1;
  std::string_view line = text.substr(begin, end - begin);
  while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.remove_suffix(1);
  if (line.size() < opening.size() + kDashes.size() || !line.ends_with(kDashes))
    return std::nullopt;
  line.remove_prefix(opening.size());
  line.remove_suffix(kDashes.size());
  return Boundary{line, begin, end};
}

// The first boundary at or after `from`.
std::optional<Boundary> next_boundary(std::string_view text, size_t from,
                                      std::string_view opening) {
  for (size_t at = text.find(opening, from); at != std::string_view::npos;
       at = text.find(opening, at + opening.size()))
    if (auto boundary = boundary_at(text, at, opening)) return boundary;
  return std::nullopt;
}

// The first complete block at or after `from`. Moves `from` behind it.
std::optional<PemBlock> next_block(std::string_view text, size_t& from) {
  auto begin = next_boundary(text, from, kBegin);
  if (!begin) return std::nullopt;
  auto end = next_boundary(text, begin->end, kEnd);
  if (!end || end->label != begin->label) return std::nullopt;
  from = end->end;
  return PemBlock{begin->label, text.substr(begin->begin, end->end - begin->begin),
                  text.substr(begin->end, end->begin - begin->end)};
}

// For each byte its six bits; kBlank for bytes allowed between; kWrong for all others.
constexpr uint8_t kBlank = 0x40;
constexpr uint8_t kWrong = 0x80;
constexpr std::array<uint8_t, 256> kSixBits = [] {
  std::array<uint8_t, 256> table{};
  table.fill(kWrong);
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i)
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<uint8_t>(i);
  for (unsigned char blank : {' ', '\t', '\r', '\n'}) table[blank] = kBlank;
  return table;
}();

// Decodes base64 into `out`, which must have room for three bytes per four. Keeps state between
// calls because a line end may split a quartet.
class Base64Decoder {
 public:
  explicit Base64Decoder(char* out) : begin_(out), out_(out) {}

  // False at the first byte that is not base64, or at data after padding.
  bool feed(std::string_view text) {
    const char* at = text.data();
    const char* end = at + text.size();
    while (at != end) {
      at = feed_quartets(at, end);
      if (at != end && !feed_one(static_cast<unsigned char>(*at++))) return false;
    }
    return true;
  }

  // False unless the last quartet was complete.
  bool finish() const { return collected_ == 0; }
  size_t size() const { return static_cast<size_t>(out_ - begin_); }

 private:
  // The fast path: complete quartets without blanks. Returns where it stopped.
  const char* feed_quartets(const char* at, const char* end) {
    if (collected_ != 0 || padded_ != 0) return at;
    for (; end - at >= 4; at += 4) {
      auto six = [&](int i) -> uint32_t { return kSixBits[static_cast<unsigned char>(at[i])]; };
      uint32_t a = six(0), b = six(1), c = six(2), d = six(3);
      if (((a | b | c | d) & (kBlank | kWrong)) != 0) break;
      bits_ = a << 18 | b << 12 | c << 6 | d;
      put(3);
    }
    return at;
  }

  bool feed_one(unsigned char c) {
    uint8_t six = kSixBits[c];
    if (six == kBlank) return true;
    if (c == '=') {
      if (++padded_ > 2 || collected_ < 2) return false;
      six = 0;
    } else if (six == kWrong || padded_ != 0) {
      return false;
    }
    bits_ = bits_ << 6 | six;
    if (++collected_ == 4) {
      put(3 - padded_);
      collected_ = 0;
    }
    return true;
  }

  void put(int bytes) {
    for (int i = 0; i < bytes; ++i) *out_++ = static_cast<char>(bits_ >> (16 - 8 * i));
  }

  char* begin_;
  char* out_;
  uint32_t bits_ = 0;
  int collected_ = 0;
  int padded_ = 0;
};

// The body after its RFC 1421 headers, which end at a blank line.
std::string_view without_headers(std::string_view body) {
  if (body.find(':') == std::string_view::npos) return body;
  for (std::string_view gap : {"\n\n", "\n\r\n"})
    if (size_t at = body.find(gap); at != std::string_view::npos)
      return body.substr(at + gap.size());
  return body;
}

}  // namespace

bool PemBlock::is_certificate() const {
  return label == "CERTIFICATE" || label == "X509 CERTIFICATE" || label == "TRUSTED CERTIFICATE";
}

bool PemBlock::is_private_key() const {
  return label == "PRIVATE KEY" || label.ends_with(" PRIVATE KEY");
}

bool PemBlock::is_encrypted() const {
  return label == "ENCRYPTED PRIVATE KEY" ||
         (is_private_key() && body.find("4,ENCRYPTED") != std::string_view::npos);
}

std::vector<PemBlock> pem_blocks(std::string_view text) {
  std::vector<PemBlock> blocks;
  size_t from = 0;
  while (auto block = next_block(text, from)) blocks.push_back(*block);
  return blocks;
}

std::optional<PemBlock> first_certificate_block(std::string_view text) {
  size_t from = 0;
  while (auto block = next_block(text, from))
    if (block->is_certificate()) return block;
  return std::nullopt;
}

Result<std::string> pem_decode(const PemBlock& block) {
  std::string_view body = without_headers(block.body);
  std::string bytes(body.size() / 4 * 3 + 3, '\0');
  Base64Decoder decoder(bytes.data());
  if (!decoder.feed(body) || !decoder.finish())
    return fail(Code::failed, "read", "a block of type " + printable(block.label),
                "it is not base64");
  bytes.resize(decoder.size());
  // In a TRUSTED CERTIFICATE, OpenSSL's own trust settings follow the certificate, and OpenSSL
  // ignores trailing bytes. Neither is ever sent to a client.
  if (block.is_certificate())
    if (auto size = der_element_size(bytes)) bytes.resize(*size);
  return bytes;
}

std::string pem_encode_certificate(std::string_view der) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr size_t kBytesPerLine = 48;
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  pem.reserve(der.size() / 3 * 4 + der.size() / kBytesPerLine + 80);
  auto byte = [&](size_t i) {
    return i < der.size() ? static_cast<uint32_t>(static_cast<unsigned char>(der[i])) : 0;
  };
  for (size_t at = 0; at < der.size(); at += 3) {
    uint32_t bits = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    pem += kAlphabet[bits >> 18];
    pem += kAlphabet[bits >> 12 & 63];
    pem += at + 1 < der.size() ? kAlphabet[bits >> 6 & 63] : '=';
    pem += at + 2 < der.size() ? kAlphabet[bits & 63] : '=';
    if ((at + 3) % kBytesPerLine == 0 || at + 3 >= der.size()) pem += '\n';
  }
  return pem + "-----END CERTIFICATE-----\n";
}

}  // namespace certrebind
