#include "service/apache/variables.h"

#include <algorithm>

namespace certrebind::apache {

namespace {

// Builds a source from parts of another one.
class Rebuilder {
 public:
  explicit Rebuilder(const Source& from) : from_(from) {}

  // Copies bytes [begin, end) unchanged.
  void copy(size_t begin, size_t end) {
    for (size_t i = piece_index(begin); begin < end && i < from_.pieces.size(); ++i) {
      Piece piece = from_.pieces[i];
      size_t piece_end = i + 1 < from_.pieces.size() ? from_.pieces[i + 1].at : from_.text.size();
      size_t stop = std::min(end, piece_end);
      if (stop <= begin) continue;
      if (piece.origin == Origin::written) {
        piece.begin += static_cast<uint32_t>(begin - piece.at);
        piece.end = piece.begin + static_cast<uint32_t>(stop - begin);
      }
      piece.at = made_.text.size();
      made_.pieces.push_back(piece);
      made_.text.append(from_.text, begin, stop - begin);
      begin = stop;
    }
  }

  // Replaces bytes [begin, end) by other text.
  void replace(size_t begin, size_t end, std::string_view with, Origin origin) {
    const Piece& first = from_.pieces[piece_index(begin)];
    const Piece& last = from_.pieces[piece_index(end - 1)];
    Piece piece = first;
    if (first.origin == Origin::written)
      piece.begin = first.begin + static_cast<uint32_t>(begin - first.at);
    piece.end = last.origin == Origin::written ? last.begin + static_cast<uint32_t>(end - last.at)
                                               : last.end;
    piece.origin = std::max({origin, first.origin, last.origin});
    piece.at = made_.text.size();
    made_.pieces.push_back(piece);
    made_.text.append(with);
  }

  Source take() {
    if (made_.pieces.empty()) made_.pieces.push_back(from_.pieces.front());
    return std::move(made_);
  }

 private:
  size_t piece_index(size_t at) const {
    auto after = std::upper_bound(from_.pieces.begin(), from_.pieces.end(), at,
                                  [](size_t wanted, const Piece& p) { return wanted < p.at; });
    return after == from_.pieces.begin() ? 0
                                         : static_cast<size_t>(after - from_.pieces.begin()) - 1;
  }

  const Source& from_;
  Source made_;
};

// The index of the parameter at `at`; the longest one if several match.
std::optional<size_t> parameter_at(std::string_view text, size_t at,
                                   const std::vector<std::string>& parameters) {
  std::optional<size_t> best;
  for (size_t i = 0; i < parameters.size(); ++i)
    if (!parameters[i].empty() && text.substr(at).starts_with(parameters[i]) &&
        (!best || parameters[i].size() > parameters[*best].size()))
      best = i;
  return best;
}

}  // namespace

Source with_variables(const Source& source, const Lookup& lookup,
                      std::vector<std::string>& unknown) {
  Rebuilder rebuilt(source);
  size_t done = 0;
  size_t at = source.text.find("${");
  while (at != std::string::npos) {
    size_t close = source.text.find('}', at + 2);
    if (close == std::string::npos) break;
    std::string_view name = std::string_view(source.text).substr(at + 2, close - at - 2);
    if (auto value = lookup(name)) {
      rebuilt.copy(done, at);
      rebuilt.replace(at, close + 1, *value, Origin::variable);
      done = close + 1;
      at = source.text.find("${", done);
    } else {
      // ${map:key} belongs to RewriteRule and similar directives.
      if (name.find(':') == std::string_view::npos) unknown.emplace_back(name);
      at = source.text.find("${", at + 2);
    }
  }
  rebuilt.copy(done, source.text.size());
  return rebuilt.take();
}

Source with_parameters(const Source& source, const std::vector<std::string>& parameters,
                       const std::vector<std::string>& values) {
  Rebuilder rebuilt(source);
  size_t done = 0;
  for (size_t at = 0; at < source.text.size();) {
    auto found = parameter_at(source.text, at, parameters);
    if (!found) {
      ++at;
      continue;
    }
    rebuilt.copy(done, at);
    done = at + parameters[*found].size();
    rebuilt.replace(at, done, values[*found], Origin::parameter);
    at = done;
  }
  rebuilt.copy(done, source.text.size());
  return rebuilt.take();
}

}  // namespace certrebind::apache
