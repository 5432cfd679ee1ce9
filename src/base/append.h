// Adds the elements of one sequence to the end of another.
#pragma once

#include <iterator>

namespace certrebind {

template <class Sequence, class More>
void append(Sequence& into, More more) {
  into.insert(into.end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
}

}  // namespace certrebind
