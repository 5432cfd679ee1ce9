#include "x509/pem.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "x509/openssl.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

const TestCertificate& sample() {
  static const TestCertificate made = TestAuthority().issue();
  return made;
}

std::string with_crlf(const std::string& text) {
  std::string changed;
  for (char c : text) changed += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return changed;
}

// True if OpenSSL's reader, which servers use, accepts the text.
bool openssl_reads(const std::string& text) {
  BioPtr in = reader_of(text);
  X509Ptr x509(PEM_read_bio_X509_AUX(in.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return x509 != nullptr;
}

bool we_read(const std::string& text) {
  auto block = first_certificate_block(text);
  if (!block) return false;
  auto der = pem_decode(*block);
  return der && *der == sample().der;
}

TEST(Pem, RoundTrip) {
  for (size_t size = 0; size < 200; ++size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 37 + size);
    std::string pem = pem_encode_certificate(bytes);
    auto blocks = pem_blocks(pem);
    ASSERT_EQ(blocks.size(), 1U);
    PemBlock plain = blocks.front();
    plain.label = "X";  // so that pem_decode does not cut after a DER element
    EXPECT_EQ(*pem_decode(plain), bytes);
  }
}

TEST(Pem, WritesWhatOpensslWrites) {
  BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), x509_of(sample().der).get());
  EXPECT_EQ(pem_encode_certificate(sample().der), text_of(out.get()));
}

TEST(Pem, FindsBlocksAmongOtherText) {
  std::string text = "subject: CN=x\n" + sample().pem + "# key\n" + sample().key_pem +
                     "-----BEGIN nothing\n" + sample().pem;
  auto blocks = pem_blocks(text);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_TRUE(blocks[0].is_certificate());
  EXPECT_TRUE(blocks[1].is_private_key());
  EXPECT_EQ(blocks[1].label, "PRIVATE KEY");
  EXPECT_EQ(blocks[1].whole, sample().key_pem);
  EXPECT_EQ(blocks[2].whole, sample().pem);
}

TEST(Pem, EndsAtABlockThatIsNone) {
  std::string unfinished = sample().pem.substr(0, sample().pem.find("-----END"));
  EXPECT_EQ(pem_blocks(sample().pem + unfinished).size(), 1U);
  EXPECT_TRUE(pem_blocks(unfinished).empty());
  EXPECT_TRUE(pem_blocks("-----BEGIN A-----\n-----END B-----\n" + sample().pem).empty());
  EXPECT_TRUE(pem_blocks("-----BEGIN ----").empty());
  EXPECT_TRUE(pem_blocks("").empty());
}

TEST(Pem, KnowsEncryptedKeys) {
  for (bool traditional : {false, true}) {
    std::string pem = encrypted_key_pem(sample().key_pem, traditional);
    auto blocks = pem_blocks(pem);
    ASSERT_EQ(blocks.size(), 1U);
    EXPECT_TRUE(blocks[0].is_private_key());
    EXPECT_TRUE(blocks[0].is_encrypted());
  }
  EXPECT_FALSE(pem_blocks(sample().key_pem)[0].is_encrypted());
}

// Boundary lines and the text around them must be accepted exactly as OpenSSL does.
TEST(Pem, ReadsWhatOpensslReads) {
  const std::string& pem = sample().pem;
  std::string body = pem.substr(28, pem.find("-----END") - 28);
  std::string end = "-----END CERTIFICATE-----\n", begin = "-----BEGIN CERTIFICATE-----\n";
  struct Case {
    const char* what;
    std::string text;
    bool readable;
  };
  for (const Case& one : {
           Case{"as written", pem, true},
           Case{"CRLF", with_crlf(pem), true},
           Case{"no final newline", pem.substr(0, pem.size() - 1), true},
           Case{"text before", "hello\n" + pem, true},
           Case{"blank after dashes", "-----BEGIN CERTIFICATE----- \t\n" + body + end, true},
           Case{"indented begin", " " + pem, false},
           Case{"byte order mark", "\xEF\xBB\xBF" + pem, true},
           Case{"indented end", begin + body + " " + end, false},
           Case{"junk after end", begin + body + "-----END CERTIFICATE-----x\n", false},
           Case{"no end", begin + body, false},
           Case{"other end", begin + body + "-----END X509 CERTIFICATE-----\n", false},
           Case{"no base64", begin + "!" + body + end, false},
           Case{"old label",
                "-----BEGIN X509 CERTIFICATE-----\n" + body + "-----END X509 CERTIFICATE-----\n",
                true},
       }) {
    EXPECT_EQ(we_read(one.text), one.readable) << one.what;
    EXPECT_EQ(openssl_reads(one.text), one.readable) << one.what;
  }
}

TEST(Pem, LeavesOffTrustSettings) {
  X509Ptr x509(X509_dup(x509_of(sample().der).get()));
  X509_add1_trust_object(x509.get(), OBJ_nid2obj(NID_server_auth));
  BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_AUX(out.get(), x509.get());
  EXPECT_TRUE(text_of(out.get()).starts_with("-----BEGIN TRUSTED CERTIFICATE-----"));
  EXPECT_TRUE(we_read(text_of(out.get())));
}

TEST(Pem, RefusesWhatIsNotBase64) {
  auto decodes = [](std::string_view body) {
    return pem_decode({.label = "X", .whole = {}, .body = body}).has_value();
  };
  EXPECT_TRUE(decodes("QUJD"));
  EXPECT_TRUE(decodes("QU\nI=\n"));
  EXPECT_TRUE(decodes(""));
  for (const char* bad :
       {"QUJ", "Q", "QUI==", "Q===", "====", "QUI=QUJD", "QU=I", "QU-D", "Q\x80==",
        "QQ=="
        "QQ=="})
    EXPECT_FALSE(decodes(bad)) << bad;
}

TEST(Pem, SurvivesEveryTruncation) {
  std::string text = sample().combined();
  for (size_t size = 0; size <= text.size(); ++size) {
    std::string cut = text.substr(0, size);
    for (const PemBlock& block : pem_blocks(cut)) (void)pem_decode(block);
  }
}

}  // namespace
}  // namespace certrebind
