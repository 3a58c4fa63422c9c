// std::format for standard libraries that have none (GCC before 13). mlx-c uses it five times,
// always with plain {}; force-included into its sources, empty where the real one exists.
#pragma once
#ifdef __cplusplus
#include <version>
#ifndef __cpp_lib_format
#include <sstream>
#include <string>
#include <string_view>

namespace semantic {
inline void format_to(std::ostringstream& out, std::string_view text) { out << text; }

template <class First, class... Rest>
void format_to(std::ostringstream& out, std::string_view text, const First& first,
               const Rest&... rest) {
  auto hole = text.find("{}");
  if (hole == std::string_view::npos) {
    out << text;
    return;
  }
  out << text.substr(0, hole) << first;
  format_to(out, text.substr(hole + 2), rest...);
}
}  // namespace semantic

namespace std {
template <class... Args>
string format(string_view text, const Args&... args) {
  ostringstream out;
  semantic::format_to(out, text, args...);
  return out.str();
}
}  // namespace std
#endif
#endif
