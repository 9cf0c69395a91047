# Reads the version and the ABI number from core/include/selenite/base.h, the one place that states
# them: sets SEL_VERSION ("0.1.0"), SEL_ABI_MAJOR and SEL_ABI_MINOR.
set(base_header ${CMAKE_CURRENT_LIST_DIR}/../core/include/selenite/base.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${base_header})

file(READ ${base_header} base_text)
foreach(number VERSION_MAJOR VERSION_MINOR VERSION_PATCH ABI_MAJOR ABI_MINOR)
  if(NOT base_text MATCHES "SEL_${number} = ([0-9]+)")
    message(FATAL_ERROR "${base_header} doesn't say \"SEL_${number} = <number>\"")
  endif()
  set(SEL_${number} ${CMAKE_MATCH_1})
endforeach()
set(SEL_VERSION ${SEL_VERSION_MAJOR}.${SEL_VERSION_MINOR}.${SEL_VERSION_PATCH})
