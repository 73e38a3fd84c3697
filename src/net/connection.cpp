// The reading half of Connection: bytes to requests, and the handing over.
#include "src/net/connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "jackdaw/base/log.h"

namespace jackdaw::net {
namespace {

constexpr std::size_t first_buffer_bytes = 4 * 1024;
constexpr std::size_t busy_buffer_bytes = 32 * 1024;  // once a read has filled its buffer
constexpr std::size_t kept_buffer_bytes = 64 * 1024;
constexpr std::size_t read_room_min = 1024;
constexpr std::size_t out_bytes_crowded = 256 * 1024;    // unwritten answers that stop further requests
constexpr std::size_t held_bytes_crowded = 1024 * 1024;  // requests being answered that stop further ones
constexpr std::size_t watch_bytes = 16 * 1024;           // read while crowded, to notice that the client goes
constexpr Duration linger_time = std::chrono::seconds(2);
constexpr Duration drain_linger_time = std::chrono::milliseconds(300);
constexpr std::size_t linger_bytes_max = 16 * 1024 * 1024;

std::string peer_text(const Stream::Socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "unknown";
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

HeadLimits head_limits(const ServerLimits& limits) {
  return {limits.header_bytes_max, limits.target_bytes_max, limits.header_fields_max};
}

}  // namespace

Connection::Connection(std::shared_ptr<IoThread> io, Stream::Socket socket, const SslContext& tls)
    : io_(std::move(io)),
      peer_(peer_text(socket)),
      stream_(*io_, std::move(socket), tls),
      limits_(io_->core().limits),
      buffer_(std::make_shared<ReadBuffer>()),
      parser_(head_limits(limits_)),
      idle_since_(io_->now()) {}

Connection::~Connection() = default;

void Connection::start() {
  stream_.begin([this] { close(); });
  settle();
}

void Connection::reject() {
  rejected_ = true;
  refuse({503, "connections", "too many connections"});
  settle();
}

// ---------------------------------------------------------------------------------------------------- reading

void Connection::settle() {
  unsettled_ = false;
  if (closed_ || settling_) return;
  settling_ = true;
  for (;;) {
    pump();
    const bool was_crowded = crowded();
    flush();
    if (closed_ || !was_crowded || crowded()) break;
  }
  if (!closed_ && answers_.empty() && out_.empty() && phase_ != Phase::lingering) {
    const bool idle = phase_ == Phase::head && buffer_->unused().empty();
    if (end_of_input_) {
      close();
    } else if (last_request_) {
      linger();
    } else if (io_->closes_idle() && idle) {
      close_if_idle();
    }
  }
  if (!closed_ && !arm_read()) {
    refuse({503, "memory", "the server holds too many request bodies; try again later"});
    flush();
  }
  settling_ = false;
  if (closed_) return;
  // A refusal made above may already be written: then the way out is the same as after any last answer.
  if (last_request_ && answers_.empty() && out_.empty() && phase_ != Phase::lingering) {
    linger();
    if (!closed_) arm_read();
  }
  set_read_deadline();
}

bool Connection::crowded() const {
  return answers_.size() >= limits_.pipelined_max || out_.size() >= out_bytes_crowded ||
         (!answers_.empty() && held_bytes_ >= held_bytes_crowded);
}

void Connection::pump() {
  if (pumping_ || phase_ == Phase::lingering) return;
  pumping_ = true;
  while (!closed_ && !last_request_ && !(phase_ == Phase::head && crowded()) && step()) {
  }
  if (last_request_) buffer_->begin = buffer_->end;
  pumping_ = false;
}

// One step of the request being read; false when it needs more bytes or another request's answer first.
bool Connection::step() {
  if (phase_ == Phase::body) return step_body();
  const std::string_view unused = buffer_->unused();
  if (unused.empty()) return false;
  if (!began_) {
    began_ = true;
    request_began_ = io_->now();
  }
  switch (parser_.feed(unused)) {
    case HeadParser::Progress::need_more:
      return false;
    case HeadParser::Progress::refused:
      refuse(parser_.refusal());
      return false;
    case HeadParser::Progress::complete:
      break;
  }
  const RequestHead& head = parser_.head();
  received_ = io_->now();
  raw_ = head.size;
  body_bytes_ = coded_bytes_ = 0;
  if (!head.has_body()) {
    hand_over({});
    return true;
  }
  if (head.content_length > limits_.body_bytes_max) {
    refuse({413, "body_too_large",
            "the request body is larger than " + std::to_string(limits_.body_bytes_max) + " bytes"});
    return false;
  }
  phase_ = Phase::body;
  continue_due_ = head.expects_continue;
  if (head.chunked) chunked_.reset(limits_.body_bytes_max);
  if (head.coding != ContentCoding::identity) {
    inflater_ = std::make_unique<Inflater>(head.coding, limits_.body_bytes_max, limits_.gzip_ratio_max);
  }
  return true;
}

bool Connection::step_body() {
  if (continue_due_ && !send_continue()) return false;
  const RequestHead& head = parser_.head();
  return head.chunked || inflater_ != nullptr ? take_coded_body() : take_plain_body();
}

// The interim answer takes its turn like any other; a client that has begun to send its body needs none.
bool Connection::send_continue() {
  if (buffer_->unused().size() <= raw_) {
    if (!answers_.empty()) return false;
    out_.append("HTTP/1.1 100 Continue\r\n\r\n");
    received_ = io_->now();
  }
  continue_due_ = false;
  return true;
}

bool Connection::take_plain_body() {
  const std::size_t length = static_cast<std::size_t>(parser_.head().content_length);
  if (buffer_->unused().size() - raw_ < length) return false;
  const std::string_view body = buffer_->unused().substr(raw_, length);
  raw_ += length;
  hand_over(body);
  return true;
}

// Chunked or compressed bodies are decoded as they arrive; the coded bytes make room at once.
bool Connection::take_coded_body() {
  const RequestHead& head = parser_.head();
  char* const request = buffer_->data() + buffer_->begin;
  const std::size_t available = buffer_->unused().size() - raw_;
  char* const out = request + head.size + body_bytes_;
  std::size_t used = 0;
  std::size_t decoded = 0;
  bool done = false;
  if (head.chunked) {
    const auto progress = chunked_.feed(request + raw_, available, out, used, decoded);
    if (progress == ChunkedBody::Progress::refused) {
      refuse(chunked_.refusal());
      return false;
    }
    done = progress == ChunkedBody::Progress::complete;
  } else {
    used = decoded = std::min<std::size_t>(available, static_cast<std::size_t>(head.content_length) - coded_bytes_);
    coded_bytes_ += used;
    done = coded_bytes_ == head.content_length;
  }
  if (inflater_ != nullptr) {
    if (!feed_inflater({out, decoded})) return false;
  } else {
    body_bytes_ += decoded;
  }
  raw_ += used;
  if (done) {
    if (inflater_ != nullptr && !inflater_->finish()) {
      refuse(inflater_->refusal());
      return false;
    }
    hand_over(inflater_ != nullptr ? std::string_view(inflated_) : std::string_view(request + head.size, body_bytes_));
    return true;
  }
  // Close up: the bytes not used yet move behind the decoded ones.
  const std::size_t kept = head.size + body_bytes_;
  const std::size_t left = buffer_->unused().size() - raw_;
  std::memmove(request + kept, request + raw_, left);
  buffer_->end = buffer_->begin + kept + left;
  raw_ = kept;
  return false;
}

bool Connection::feed_inflater(std::string_view compressed) {
  if (!inflater_->feed(compressed, inflated_)) {
    refuse(inflater_->refusal());
    return false;
  }
  const std::size_t counted = inflated_.capacity() > ReadBuffer::free_bytes ? inflated_.capacity() : 0;
  if (!inflated_share_.resize(io_->core().budget, counted)) {
    refuse({503, "memory", "the server holds too many request bodies; try again later"});
    return false;
  }
  return true;
}

void Connection::hand_over(std::string_view body) {
  std::shared_ptr<ExchangeImpl> exchange =
      spare_ != nullptr ? std::move(spare_) : std::make_shared<ExchangeImpl>(shared_from_this());
  RequestImpl& request = exchange->incoming();
  const bool inflated = inflater_ != nullptr;
  std::swap(request.head, parser_.head());
  request.base = buffer_->data() + buffer_->begin;
  request.inflated.clear();
  if (inflated) {
    request.inflated.swap(inflated_);
    request.inflated_share = std::move(inflated_share_);
    body = request.inflated;
  }
  request.body_view = body;
  request.peer_view = peer_;
  request.certificate = stream_.client_certificate();
  request.received_at = received_;

  const std::uint64_t place = answers_.push();
  Answer& answer = answers_[place];
  answer.is_head = request.head.method == Method::head;
  answer.http10 = request.head.minor_version == 0;
  answer.keep_alive = request.head.keep_alive;
  const bool last = !request.head.keep_alive;

  buffer_->begin += raw_;
  const std::size_t request_bytes = raw_ + request.inflated.size();
  inflater_.reset();
  inflated_.clear();
  parser_.reset();
  phase_ = Phase::head;
  began_ = false;
  served_one_ = true;

  exchange->start(place);
  guarded("a request handler", [&] { io_->core().handler(exchange); });
  if (last) last_request_ = true;
  const bool sole_owner = exchange.use_count() == 1;
  if (!exchange->answered() && sole_owner) {
    abandon(place);
    exchange->set_answered();
  }
  if (exchange->answered()) {
    if (!sole_owner || closed_) return;
    exchange->recycle();
    spare_ = std::move(exchange);
    return;
  }
  exchange->hold(buffer_);
  if (answers_.holds(place)) {
    answers_[place].held_bytes = request_bytes;
    held_bytes_ += request_bytes;
  }
}

// Net answers by itself, in the row like everyone else, and the connection ends with it.
void Connection::refuse(const Refusal& refusal) {
  io_->core().count_refused(refusal.reason);
  log_debug("refused a request", {{"peer", peer_}, {"status", refusal.status}, {"why", refusal.message}});
  Response response;
  response.status = refusal.status;
  response.body = error_body(refusal.message);
  if (refusal.status == 415) response.headers.push_back({"Accept-Encoding", "gzip, deflate"});
  if (refusal.status == 405) response.headers.push_back({"Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"});
  const std::uint64_t place = answers_.push();
  answers_[place].is_head = parser_.head().method == Method::head;
  answers_[place].http10 = false;
  inflater_.reset();
  inflated_.clear();
  inflated_share_.release();
  phase_ = Phase::head;
  began_ = false;
  last_request_ = true;
  write_answer(place, std::move(response), false);
  complete(place, false);
}

bool Connection::wants_read() const {
  if (closed_ || reading_ || end_of_input_) return false;
  if (phase_ == Phase::body || phase_ == Phase::lingering || last_request_) return true;
  return !crowded() || buffer_->unused().size() < watch_bytes;
}

// Waits for bytes. False when there is no memory for them.
bool Connection::arm_read() {
  if (!wants_read()) return true;
  if (last_request_) buffer_->begin = buffer_->end;
  if (!make_room()) return false;
  reading_ = true;
  read_at_ = buffer_->data() + buffer_->end;
  stream_.read_some(read_at_, buffer_->room(),
                    [self = shared_from_this()](boost::system::error_code error, std::size_t bytes) {
                      IoThread::Turn turn(*self->io_);
                      self->guard([&] { self->on_read(bytes, error); });
                    });
  return true;
}

bool Connection::make_room() {
  const bool shared = buffer_.use_count() > 1;
  const std::size_t used = buffer_->end - buffer_->begin;
  if (used == 0 && !shared) {
    buffer_->begin = buffer_->end = 0;
    if (buffer_->capacity() > kept_buffer_bytes && phase_ == Phase::head) buffer_ = std::make_shared<ReadBuffer>();
  }
  std::size_t wanted =
      std::max({first_buffer_bytes, grow_to_, used + read_room_min, used >= read_room_min ? 2 * used : 0});
  std::size_t needed = read_room_min;
  const bool plain_body = phase_ == Phase::body && !parser_.head().chunked && inflater_ == nullptr;
  if (plain_body) {
    // The length is known: not a byte more than the request, and no more than twice what has really come.
    const std::size_t whole = raw_ + static_cast<std::size_t>(parser_.head().content_length);
    needed = std::min(needed, whole - used);
    wanted = std::min(std::max(wanted, kept_buffer_bytes), std::max(whole, first_buffer_bytes));
  }
  if (buffer_->room() >= needed && buffer_->capacity() >= grow_to_) return true;
  if (!shared) {
    if (buffer_->begin > 0) {
      std::memmove(buffer_->data(), buffer_->data() + buffer_->begin, used);
      buffer_->begin = 0;
      buffer_->end = used;
    }
    if (buffer_->room() >= needed && buffer_->capacity() >= grow_to_) return true;
    return buffer_->reserve(std::max(wanted, used + needed), io_->core().budget);
  }
  auto fresh = std::make_shared<ReadBuffer>();
  if (!fresh->reserve(std::max(wanted, used + needed), io_->core().budget)) return false;
  std::memcpy(fresh->data(), buffer_->data() + buffer_->begin, used);
  fresh->end = used;
  buffer_ = std::move(fresh);
  return true;
}

void Connection::on_read(std::size_t bytes, boost::system::error_code error) {
  reading_ = false;
  if (closed_) return;
  io_->count_read(bytes);
  if (phase_ == Phase::lingering) {
    lingered_bytes_ += bytes;
    if (error || lingered_bytes_ > linger_bytes_max) {
      close();
    } else {
      arm_read();
    }
    return;
  }
  // The bytes before these may have moved up while the read was under way.
  char* const behind = buffer_->data() + buffer_->end;
  if (bytes > 0 && behind != read_at_) std::memmove(behind, read_at_, bytes);
  if (bytes == buffer_->room() && grow_to_ < busy_buffer_bytes && phase_ == Phase::head) grow_to_ = busy_buffer_bytes;
  buffer_->end += bytes;
  if (error == boost::asio::error::eof) {
    on_end_of_input();
  } else if (error && !stream_.spoke_plain_text()) {
    close();
    return;
  }
  if (!served_one_ && !began_) refuse_wrong_protocol();
  settle();
}

// HTTP on an HTTPS port and the other way round: a sentence for whoever set the client up, where the client can show
// it.
void Connection::refuse_wrong_protocol() {
  if (stream_.spoke_plain_text()) {
    stream_.become_plain();
    refuse({400, "http_on_https_port", "this port speaks HTTPS; write https:// in the URL"});
    return;
  }
  // The first bytes of a TLS record with a ClientHello: handshake, version 3.x.
  const std::string_view bytes = buffer_->unused();
  const bool hello = bytes.size() >= 2 && bytes[0] == 0x16 && bytes[1] == 0x03;
  if (hello) refuse({400, "https_on_http_port", "this port speaks plain HTTP; write http:// in the URL"});
}

// The client has closed its side. It may still read (a half-close), so plain answers are written; an event stream has
// nobody to go on for.
void Connection::on_end_of_input() {
  end_of_input_ = true;
  if (!answers_.empty()) client_gone();
}

void Connection::client_gone() {
  gone_ = true;
  bool streaming = false;
  for (std::uint64_t place = answers_.front(); place < answers_.next(); ++place) {
    streaming = streaming || answers_[place].state == Answer::State::streaming;
  }
  tell_disconnected();
  if (streaming) close();
}

// ---------------------------------------------------------------------------------------------------- time and end

void Connection::set_read_deadline() {
  if (phase_ == Phase::lingering) return;
  read_deadline_ = Instant::max();
  if (last_request_ || end_of_input_) return;
  if (phase_ == Phase::body) {
    if (!continue_due_) read_deadline_ = received_ + limits_.body_timeout;
  } else if (began_ && crowded()) {
    request_began_ = io_->now();  // we do not look at its bytes: the time is ours
  } else if (began_) {
    read_deadline_ = request_began_ + limits_.header_timeout;
  } else if (answers_.empty() && out_.empty() && buffer_->unused().empty()) {
    read_deadline_ = io_->now() + (served_one_ ? limits_.idle_timeout : limits_.header_timeout);
  }
}

// A crowded connection is not read, so the kernel is asked whether the client is still there.
void Connection::look_after_client() {
  if (closed_ || reading_ || gone_ || answers_.empty()) return;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(stream_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
  if (info.tcpi_state == TCP_CLOSE) {
    close();
  } else if (info.tcpi_state != TCP_ESTABLISHED) {
    client_gone();
  }
}

bool Connection::overdue(Instant now) const {
  return now >= read_deadline_ || now >= write_deadline_ || (!reading_ && !gone_ && !answers_.empty());
}

void Connection::check_deadlines(Instant now) {
  if (closed_) return;
  if (now >= write_deadline_) {
    io_->core().count_refused("write_timeout");
    close();
  } else if (now >= read_deadline_) {
    on_read_timeout();
  } else {
    look_after_client();
  }
}

void Connection::on_read_timeout() {
  read_deadline_ = Instant::max();
  const bool idle = phase_ == Phase::head && !began_;
  if (idle || phase_ == Phase::lingering) {
    if (stream_.shaking_hands()) io_->core().count_refused("handshake_timeout");
    close();
    return;
  }
  if (phase_ == Phase::head) {
    refuse({408, "header_timeout", "the request head did not arrive in time"});
  } else {
    refuse({408, "body_timeout", "the request body did not arrive in time"});
  }
  settle();
}

// Closing with unread bytes would make the kernel send a reset, which can overtake the last answer. So: end our side,
// read on a little, then close.
void Connection::linger() {
  phase_ = Phase::lingering;
  read_deadline_ = io_->now() + (io_->draining() ? drain_linger_time : linger_time);
  if (!stream_.end_sending()) close();
}

bool Connection::close_if_idle() {
  if (closed_) return true;
  const bool idle = answers_.empty() && out_.empty() && phase_ == Phase::head && !began_ && buffer_->unused().empty();
  if (!idle) return false;
  // A request may have arrived that the loop has not read yet.
  if (stream_.has_unread()) return false;
  close();
  return true;
}

void Connection::close() {
  if (closed_) return;
  const auto self = shared_from_this();
  guarded("telling that a client has left", [this] { tell_disconnected(); });
  closed_ = true;
  answers_.clear();
  held_bytes_ = 0;
  out_.clear();
  spare_.reset();
  stream_.close();
  io_->remove(*this);
}

}  // namespace jackdaw::net
