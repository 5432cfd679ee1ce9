#include "probe/lean_handshake.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/tls13.h"
#include "probe/tls_messages.h"
#include "x509/openssl.h"

namespace certrebind {

using namespace tls13;

namespace {

constexpr size_t kMessageHeader = 4;                // type and size
constexpr size_t kLargestRecord = 16384 + 256;      // section 5.2
constexpr size_t kLargestFlight = size_t{1} << 18;  // as much as OpenSSL takes, and more

std::unexpected<Error> unsuited(std::string cause) {
  return fail(Code::failed, "complete", "the handshake", std::move(cause));
}

// The server's messages, out of its records.
class Flight {
 public:
  Flight(Stream& stream, SteadyTime deadline) : stream_(stream), deadline_(deadline) {}

  // From here on records are sealed. False where what came before has not ended with its record.
  bool expect_sealed(std::string_view secret) {
    keys_.emplace(secret);
    return end_ == messages_.size();
  }

  // The type of the next message.
  Result<MessageType> peek() {
    if (auto there = have(kMessageHeader); !there) return pass(there);
    return static_cast<MessageType>(messages_[end_]);
  }

  // The body of the next message, which must be of this type. Valid until more is asked for.
  Result<std::string_view> next(MessageType wanted) {
    auto type = peek();
    if (!type) return pass(type);
    if (*type != wanted) return unsuited("another message was expected");
    Input header(std::string_view(messages_).substr(end_ + 1));
    size_t size = header.take_number(3);
    if (auto there = have(kMessageHeader + size); !there) return pass(there);
    std::string_view body = std::string_view(messages_).substr(end_ + kMessageHeader, size);
    end_ += kMessageHeader + size;
    return body;
  }

  // All messages that were given, headers included.
  std::string_view given() const { return std::string_view(messages_).substr(0, end_); }

 private:
  // Until so many bytes follow what was given.
  Done have(size_t size) {
    if (size > kLargestFlight) return unsuited("a message is too long");
    while (messages_.size() - end_ < size)
      if (auto more = read_record(); !more) return more;
    return {};
  }

  Done read_record() {
    if (auto there = receive(kHeaderSize); !there) return there;
    Input header(in_);
    auto type = static_cast<RecordType>(header.take_number(1));
    header.take(2);  // the version, which says nothing any more
    size_t size = header.take_number(2);
    if (size > kLargestRecord) return unsuited("a record is too long");
    if (auto there = receive(kHeaderSize + size); !there) return there;
    auto added = add(type, std::string_view(in_).substr(0, kHeaderSize + size));
    in_.erase(0, kHeaderSize + size);
    return added;
  }

  // Only messages are awaited, and records without any would let a server go on for ever; but for
  // the one that is sent for the sake of old middleboxes (appendix D.4).
  Done add(RecordType type, std::string_view record) {
    std::string_view content = record.substr(kHeaderSize);
    if (keys_ && type == RecordType::change_cipher_spec && content == "\1" &&
        !std::exchange(has_changed_, true))
      return {};
    std::optional<RecordKeys::Opened> opened;
    if (keys_ && type == RecordType::application) opened = keys_->open(record);
    if (keys_) {
      type = opened ? opened->type : RecordType::alert;
      content = opened ? std::string_view(opened->content) : std::string_view();
    }
    if (type != RecordType::handshake || content.empty())
      return unsuited("a record holds no message");
    messages_.append(content);
    return {};
  }

  Done receive(size_t size) {
    while (in_.size() < size) {
      auto more = stream_.read(deadline_);
      if (!more) return pass(more);
      if (more->empty()) return unsuited("the server closed the connection");
      in_.append(*more);
    }
    return {};
  }

  Stream& stream_;
  SteadyTime deadline_;
  std::optional<RecordKeys> keys_;
  bool has_changed_ = false;
  std::string in_;        // records not yet opened
  std::string messages_;  // all, those not yet given included
  size_t end_ = 0;        // of those given
};

class LeanHandshake {
 public:
  LeanHandshake(Stream& stream, KeyType type, SteadyTime deadline)
      : stream_(stream), type_(type), deadline_(deadline), flight_(stream, deadline) {}

  Result<Served> run(const std::string& sni) {
    if (auto agreed = exchange_hellos(sni); !agreed) return pass(agreed);
    auto served = authenticate();
    if (!served) return served;
    if (auto finished = finish(served->wants_client_certificate); !finished) return pass(finished);
    return served;
  }

 private:
  // Of all messages so far, but for our own last ones.
  std::string transcript() const { return hello_ + std::string(flight_.given()); }

  Done exchange_hellos(const std::string& sni) {
    KeyExchange exchange;
    hello_ = client_hello(sni, type_, exchange.share());
    constexpr size_t kAnyVersion = 0x0301;
    std::string record = number(static_cast<size_t>(RecordType::handshake), 1) +
                         number(kAnyVersion, 2) + vector_of(hello_, 2);
    if (auto sent = stream_.write(record, deadline_); !sent) return sent;
    auto answer = flight_.next(MessageType::server_hello);
    if (!answer) return pass(answer);
    auto peer_share = share_in(*answer);
    auto agreed = peer_share ? exchange.agree(*peer_share) : std::nullopt;
    if (!agreed) return unsuited("the hellos do not agree");
    secrets_.emplace(*agreed, sha256(transcript()));
    if (!flight_.expect_sealed(secrets_->server_handshake()))
      return unsuited("a message is in the record of another");
    return {};
  }

  // All that the server sends, its Finished included.
  Result<Served> authenticate() {
    if (auto skipped = flight_.next(MessageType::encrypted_extensions); !skipped)
      return pass(skipped);
    auto demanded = is_demanded();
    if (!demanded) return pass(demanded);
    auto listed = flight_.next(MessageType::certificate);
    if (!listed) return pass(listed);
    std::vector<std::string_view> certificates = certificates_in(*listed);
    if (certificates.empty()) return unsuited("no certificate was presented");
    Served served;
    served.leaf_der = certificates.front();
    served.thumbprint = Thumbprint::of_der(served.leaf_der);
    served.chain_length = certificates.size();
    served.above.assign(certificates.begin() + 1, certificates.end());
    served.protocol = "TLSv1.3";
    served.wants_client_certificate = *demanded;
    if (auto proven = prove_key(served.leaf_der); !proven) return pass(proven);
    return served;
  }

  // Whether a client certificate is asked for.
  Result<bool> is_demanded() {
    auto type = flight_.peek();
    if (!type) return pass(type);
    if (*type != MessageType::certificate_request) return false;
    auto skipped = flight_.next(MessageType::certificate_request);
    if (!skipped) return pass(skipped);
    return true;
  }

  // That the server holds the key of its leaf, and that nobody changed what was said.
  Done prove_key(std::string_view leaf_der) {
    std::string signed_hash = sha256(transcript());
    auto verify = flight_.next(MessageType::certificate_verify);
    if (!verify) return pass(verify);
    auto signature = signature_in(*verify);
    X509Ptr leaf = x509_of(leaf_der);
    EVP_PKEY* key = leaf ? X509_get0_pubkey(leaf.get()) : nullptr;
    if (!signature || key == nullptr || !is_offered(signature->scheme, type_) ||
        !is_signed_by_server(key, signature->scheme, signed_hash, signature->bytes))
      return unsuited("bad signature");
    std::string expected = finished_content(secrets_->server_handshake(), sha256(transcript()));
    auto said = flight_.next(MessageType::finished);
    if (!said) return pass(said);
    if (*said != expected) return unsuited("the server's Finished is wrong");
    return {};
  }

  // Our own Finished, behind an empty Certificate where one was demanded, and a goodbye.
  Done finish(bool demanded) {
    std::string last = transcript();
    RecordKeys after(secrets_->client_application(sha256(last)));
    std::string flight =
        demanded ? message(MessageType::certificate, vector_of("", 1) + vector_of("", 3)) : "";
    std::string hash = sha256(last + flight);
    flight += message(MessageType::finished, finished_content(secrets_->client_handshake(), hash));
    RecordKeys before(secrets_->client_handshake());
    constexpr std::string_view kCloseNotify("\1\0", 2);
    return stream_.write(
        before.seal(RecordType::handshake, flight) + after.seal(RecordType::alert, kCloseNotify),
        deadline_);
  }

  Stream& stream_;
  KeyType type_;
  SteadyTime deadline_;
  Flight flight_;
  std::string hello_;
  std::optional<Secrets> secrets_;
};

}  // namespace

Result<Served> lean_handshake(Stream& stream, const std::string& sni, KeyType type,
                              SteadyTime deadline) {
  return LeanHandshake(stream, type, deadline).run(sni);
}

}  // namespace certrebind
