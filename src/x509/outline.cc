// The fast parser of a certificate's DER (RFC 5280 section 4.1). It skips all fields that the
// outline does not contain. It does not validate the certificate; OpenSSL does that in
// Certificate::parse.
#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "sys/ip_text.h"
#include "x509/certificate.h"
#include "x509/der.h"

namespace certrebind {

namespace {

constexpr std::string_view kCommonName{"\x55\x04\x03", 3};      // 2.5.4.3
constexpr std::string_view kSubjectAltName{"\x55\x1D\x11", 3};  // 2.5.29.17

struct KeyAlgorithm {
  std::string_view oid;
  KeyType type;
};
constexpr KeyAlgorithm kKeyAlgorithms[] = {
    {{"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01", 9}, KeyType::rsa},  // 1.2.840.113549.1.1.1
    {{"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A", 9}, KeyType::rsa},  // id-RSASSA-PSS
    {{"\x2A\x86\x48\xCE\x3D\x02\x01", 7}, KeyType::ecdsa},        // 1.2.840.10045.2.1
    {{"\x2B\x65\x70", 3}, KeyType::ed25519},                      // 1.3.101.112
    {{"\x2B\x65\x71", 3}, KeyType::ed448},                        // 1.3.101.113
};

std::unexpected<Error> malformed(std::string part) {
  return fail(Code::failed, "read", "certificate", "its " + part + " is malformed");
}

void append_utf8(std::string& text, uint32_t point) {
  auto tail = [&](int shift) { text += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0 | point >> 12);
    tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0 | (point >> 18 & 7));
    tail(12), tail(6), tail(0);
  }
}

// A directory string as UTF-8. As in OpenSSL, strings with one byte per character are read as
// Latin-1. That is right for ASCII and for the real content of old TeletexStrings.
std::string directory_text(const DerElement& value) {
  if (value.tag == der::kUtf8String) return std::string(value.content);
  size_t width = value.tag == der::kBmpString ? 2 : value.tag == der::kUniversalString ? 4 : 1;
  std::string text;
  text.reserve(value.content.size() / width);
  for (size_t at = 0; at + width <= value.content.size(); at += width) {
    uint32_t point = 0;
    for (size_t i = 0; i < width; ++i)
      point = point << 8 | static_cast<unsigned char>(value.content[at + i]);
    append_utf8(text, point);
  }
  return text;
}

struct NameText {
  std::string shown;                       // the CN, otherwise the last value
  std::optional<std::string> common_name;  // the last CN, which is the most specific
};

// The text of a Name: SEQUENCE of SET of SEQUENCE {OID, value}.
std::optional<NameText> name_text(std::string_view content) {
  DerElement last, common_name;
  for (DerReader sets(content); !sets.at_end();) {
    auto set = sets.next(der::kSet);
    if (!set) return std::nullopt;
    for (DerReader attributes(set->content); !attributes.at_end();) {
      auto attribute = attributes.next(der::kSequence);
      if (!attribute) return std::nullopt;
      DerReader parts(attribute->content);
      auto type = parts.next(der::kOid);
      auto value = parts.next();
      if (!type || !value) return std::nullopt;
      (type->content == kCommonName ? common_name : last) = *value;
    }
  }
  if (common_name.tag == 0) return NameText{directory_text(last), std::nullopt};
  std::string text = directory_text(common_name);
  return NameText{text, text};
}

// Two decimal digits, or -1.
int two_digits(std::string_view text, size_t at) {
  auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -100; };
  return std::max(-1, digit(at) * 10 + digit(at + 1));
}

// RFC 5280 section 4.1.2.5: UTCTime "YYMMDDHHMMSSZ" with years 1950 to 2049, GeneralizedTime
// "YYYYMMDDHHMMSSZ".
std::optional<WallTime> time_of(const DerElement& element) {
  bool utc = element.tag == der::kUtcTime;
  std::string_view text = element.content;
  if (!utc && element.tag != der::kGeneralizedTime) return std::nullopt;
  if (text.size() != (utc ? 13U : 15U) || text.back() != 'Z') return std::nullopt;
  int century = utc ? (two_digits(text, 0) >= 50 ? 19 : 20) : two_digits(text, 0);
  std::string_view rest = utc ? text : text.substr(2);
  int part[6];
  for (size_t i = 0; i < 6; ++i) part[i] = two_digits(rest, 2 * i);
  if (century < 0 || std::ranges::any_of(part, [](int value) { return value < 0; }))
    return std::nullopt;
  using namespace std::chrono;
  year_month_day day{year(century * 100 + part[0]), month(static_cast<unsigned>(part[1])),
                     std::chrono::day(static_cast<unsigned>(part[2]))};
  if (!day.ok() || part[3] > 23 || part[4] > 59 || part[5] > 59) return std::nullopt;
  return sys_days(day) + hours(part[3]) + minutes(part[4]) + seconds(part[5]);
}

// An INTEGER in hex, with "-" for a negative one (two's complement in DER).
std::string serial_text(std::string_view content) {
  bool negative = !content.empty() && (content.front() & 0x80) != 0;
  std::string magnitude(content);
  if (negative) {
    bool carry = true;
    for (size_t i = magnitude.size(); i-- > 0;) {
      magnitude[i] = static_cast<char>(~magnitude[i] + (carry ? 1 : 0));
      carry = carry && magnitude[i] == 0;
    }
  }
  size_t begin = std::min(magnitude.find_first_not_of('\0'), magnitude.size());
  if (begin == magnitude.size()) return "0";
  return (negative ? "-" : "") + to_hex(std::string_view(magnitude).substr(begin));
}

// The names of a GeneralNames; false if malformed.
bool read_alternative_names(std::string_view bytes, std::vector<std::string>& names) {
  auto sequence = DerReader(bytes).next(der::kSequence);
  if (!sequence) return false;
  for (DerReader reader(sequence->content); !reader.at_end();) {
    auto name = reader.next();
    if (!name) return false;
    if (name->tag == (der::kContext | 2)) names.push_back(to_lower(name->content));
    if (name->tag == (der::kContext | 7)) names.push_back(ip_text(name->content));
  }
  return true;
}

// Searches the Extensions for the subjectAltName. Unset if malformed, otherwise whether there is
// one.
std::optional<bool> find_alternative_names(std::string_view content,
                                           std::vector<std::string>& names) {
  auto extensions = DerReader(content).next(der::kSequence);
  if (!extensions) return std::nullopt;
  for (DerReader reader(extensions->content); !reader.at_end();) {
    auto extension = reader.next(der::kSequence);
    if (!extension) return std::nullopt;
    DerReader parts(extension->content);
    auto type = parts.next(der::kOid);
    if (!type) return std::nullopt;
    if (type->content != kSubjectAltName) continue;
    if (!parts.skip_if(der::kBoolean)) return std::nullopt;
    auto value = parts.next(der::kOctetString);
    if (!value || !read_alternative_names(value->content, names)) return std::nullopt;
    return true;
  }
  return false;
}

// SubjectPublicKeyInfo: SEQUENCE of SEQUENCE {OID, parameters} and the key.
KeyType key_type_of(std::string_view content) {
  auto algorithm = DerReader(content).next(der::kSequence);
  auto type = algorithm ? DerReader(algorithm->content).next(der::kOid) : std::nullopt;
  if (!type) return KeyType::other;
  for (const KeyAlgorithm& known : kKeyAlgorithms)
    if (type->content == known.oid) return known.type;
  return KeyType::other;
}

// The fields of a TBSCertificate that the outline uses, in place.
struct Fields {
  DerElement serial, issuer, validity, subject, key;
  std::optional<DerElement> extensions;
};

std::optional<Fields> fields_of(std::string_view der) {
  DerReader outside(der);
  auto certificate = outside.next(der::kSequence);
  if (!certificate || !outside.at_end()) return std::nullopt;
  DerReader parts(certificate->content);
  auto to_be_signed = parts.next(der::kSequence);
  if (!to_be_signed || !parts.next(der::kSequence) || !parts.next(der::kBitString) ||
      !parts.at_end())
    return std::nullopt;
  DerReader reader(to_be_signed->content);
  if (!reader.skip_if(der::kContextConstructed | 0)) return std::nullopt;  // version
  auto serial = reader.next(der::kInteger);
  auto algorithm = reader.next(der::kSequence);
  auto issuer = reader.next(der::kSequence);
  auto validity = reader.next(der::kSequence);
  auto subject = reader.next(der::kSequence);
  auto key = reader.next(der::kSequence);
  if (!serial || !algorithm || !issuer || !validity || !subject || !key) return std::nullopt;
  Fields fields{*serial, *issuer, *validity, *subject, *key, std::nullopt};
  while (!reader.at_end()) {  // unique identifiers [1] and [2], extensions [3]
    auto element = reader.next();
    if (!element) return std::nullopt;
    if (element->tag == (der::kContextConstructed | 3)) fields.extensions = element;
  }
  return fields;
}

}  // namespace

Result<CertificateOutline> outline_of(std::string_view der) {
  auto fields = fields_of(der);
  if (!fields) return malformed("outer shape");
  CertificateOutline outline;
  auto subject = name_text(fields->subject.content);
  auto issuer = name_text(fields->issuer.content);
  if (!subject || !issuer) return malformed("subject or issuer");
  DerReader validity(fields->validity.content);
  auto from = validity.next(), until = validity.next();
  auto not_before = from ? time_of(*from) : std::nullopt;
  auto not_after = until ? time_of(*until) : std::nullopt;
  if (!not_before || !not_after) return malformed("validity");
  std::optional<bool> has_names = false;
  if (fields->extensions)
    has_names = find_alternative_names(fields->extensions->content, outline.names);
  if (!has_names) return malformed("list of extensions");
  if (!*has_names && subject->common_name) outline.names = {to_lower(*subject->common_name)};
  if (subject->common_name) outline.common_name = to_lower(*subject->common_name);
  outline.key_type = key_type_of(fields->key.content);
  outline.thumbprint = Thumbprint::of_der(der);
  outline.serial = serial_text(fields->serial.content);
  outline.subject = std::move(subject->shown);
  outline.issuer = std::move(issuer->shown);
  outline.not_before = *not_before;
  outline.not_after = *not_after;
  outline.self_issued = fields->subject.whole == fields->issuer.whole;
  return outline;
}

std::optional<std::string_view> public_key_info_of(std::string_view der) {
  auto fields = fields_of(der);
  return fields ? std::optional(fields->key.content) : std::nullopt;
}

}  // namespace certrebind
