#pragma once
#include <memory>

namespace ghm {

template <auto Destroy>
struct DestroyWith {
  template <class T>
  void operator()(T* p) const {
    Destroy(p);
  }
};
/// A C library's object owned by a unique_ptr: using Statement = Handle<sqlite3_stmt, sqlite3_finalize>.
template <class T, auto Destroy>
using Handle = std::unique_ptr<T, DestroyWith<Destroy>>;

}  // namespace ghm
